"""Under the traceback of a cell that met a known failure, or has Python 2: cause, evidence, remedy.

IPython's own event after a cell is used; tracebacks, and a user's ``set_custom_exc``, stay as they
are.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

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
    # A cell that does not compile has its SyntaxError in the other.
    error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
    if not isinstance(error, Exception):  # None, or an interrupt
        return
    with contextlib.suppress(Exception):  # what explains must not fail itself
        from theano_colab.doctor import known, python2

        explanation = known.explain(error) or python2.explain(error)
        if explanation is not None:
            print(*explanation.lines(), sep="\n")  # noqa: T201  # under the traceback, as text
