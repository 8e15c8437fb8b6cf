"""What theano.gof.link was until Theano 1.0.5."""

from theano.link.basic import (
    Container,
    Linker,
    LocalLinker,
    PerformLinker,
    WrapLinker,
    WrapLinkerMany,
)
from theano.link.utils import gc_helper, map_storage, raise_with_op, streamline
