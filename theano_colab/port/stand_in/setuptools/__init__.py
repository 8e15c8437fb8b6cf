"""What pip takes for setuptools while it downloads Theano's sdist (see theano_colab.port.sdist)."""
