"""What the port adds to Theano 1.0.5. Built by theano-colab."""
