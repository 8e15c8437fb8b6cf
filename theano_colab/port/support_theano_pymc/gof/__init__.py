"""What theano.gof was until Theano 1.0.5; Theano-PyMC has it in theano.graph and theano.link."""

from theano.graph.basic import Apply, Constant, Variable, view_roots
from theano.graph.destroyhandler import DestroyHandler
from theano.graph.fg import FunctionGraph, InconsistencyError, MissingInputError
from theano.graph.op import COp, OpenMPOp, get_test_value
from theano.graph.op import COp as Op
from theano.graph.op import Op as PureOp
from theano.graph.opt import (
    CheckStackTraceOptimization,
    EquilibriumOptimizer,
    LocalOptGroup,
    LocalOptimizer,
    MergeOptimizer,
    NavigatorOptimizer,
    OpKeyOptimizer,
    OpRemove,
    OpSub,
    PatternSub,
    SeqOptimizer,
    TopoOptimizer,
    inplace_optimizer,
    local_optimizer,
    optimizer,
)
from theano.graph.opt import GlobalOptimizer as Optimizer
from theano.graph.optdb import DB, EquilibriumDB, LocalGroupDB, ProxyDB, Query, SequenceDB
from theano.graph.params_type import Params, ParamsType
from theano.graph.toolbox import (
    Bookkeeper,
    Feature,
    History,
    NodeFinder,
    NoOutputFromInplace,
    PrintListener,
    ReplaceValidate,
    Validator,
)
from theano.graph.type import CEnumType, EnumList, EnumType, Generic, Type, generic
from theano.graph.utils import MetaObject as object2
from theano.graph.utils import MethodNotDefined
from theano.link.basic import (
    Container,
    Linker,
    LocalLinker,
    PerformLinker,
    WrapLinker,
    WrapLinkerMany,
)
from theano.link.c.basic import CLinker, DualLinker, OpWiseCLinker
