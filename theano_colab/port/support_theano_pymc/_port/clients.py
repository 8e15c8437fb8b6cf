"""The clients of a graph's variables, as Theano-PyMC keeps them, answering to Theano's call too."""


class Clients(dict):
    """``fgraph.clients``: also ``clients(variable)``, as until Theano 1.0.5."""

    def __call__(self, variable):
        """Return the (node, position) pairs that read ``variable``."""
        return self[variable]
