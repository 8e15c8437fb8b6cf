"""What pip takes for setuptools while it downloads an sdist (see theano_colab.port.archive)."""
