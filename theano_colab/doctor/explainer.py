"""Under a cell that failed in a known way, has Python 2 or sets flags too late: why, what to do.

IPython's own event after a cell is used; tracebacks, and a user's ``set_custom_exc``, stay as they
are.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from theano_colab.doctor import late_flags

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_EVENT = "post_run_cell"


def register(shell: InteractiveShell) -> None:
    """Explain from now on; once, however often it is called."""
    unregister(shell)
    shell.events.register(_EVENT, _after_cell)


def unregister(shell: InteractiveShell) -> None:
    """Explain no more."""
    with contextlib.suppress(ValueError):  # it was not registered
        shell.events.unregister(_EVENT, _after_cell)


def _after_cell(result: Any) -> None:  # noqa: ANN401  # IPython's ExecutionResult, untyped in 7.34
    for find in (functools.partial(_explanation, result), late_flags.news):
        with contextlib.suppress(Exception):  # what explains must not fail itself
            if told := find():
                print(*told, sep="\n")  # noqa: T201  # under the cell, as text


def _explanation(result: Any) -> tuple[str, ...]:  # noqa: ANN401  # likewise
    # A cell that does not compile has its SyntaxError in the other.
    error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
    if not isinstance(error, Exception):  # None, or an interrupt
        return ()
    from theano_colab.doctor import known, python2

    explanation = known.explain(error) or python2.explain(error)
    return () if explanation is None else tuple(explanation.lines())
