"""Modes that went: ProfileMode, and the names of modes that theano.function took as text."""

from __future__ import annotations

import sys
from typing import Any

from theano.compile.function_module import FunctionMaker
from theano.compile.mode import Mode, predefined_modes
from theano.compile.profiling import ProfileStats
from theano.gof.vm import VM_Linker


class ProfileMode(Mode):  # type: ignore[misc]  # Theano publishes no types
    """A mode whose functions are profiled; ``print_summary`` prints what they took."""

    def __init__(self, linker: Any = None, optimizer: Any = "default") -> None:
        # Only these count what each op takes.
        super().__init__(linker if isinstance(linker, VM_Linker) else None, optimizer)
        self.profile_stats: dict[Any, ProfileStats] = {}

    def function_maker(
        self, inputs: Any, outputs: Any, mode: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Make a function that keeps a profile of its own, as ``profile=True`` does."""
        profile = kwargs.get("profile") or ProfileStats(atexit_print=False)
        maker = FunctionMaker(inputs, outputs, mode, *args, **{**kwargs, "profile": profile})
        self.profile_stats[maker] = profile
        return maker

    def print_summary(self, **options: Any) -> None:
        """Print the profile of every function of this mode."""
        for profile in self.profile_stats.values():
            profile.summary(file=sys.stdout)


def by_name(name: str) -> Mode:
    """Return the mode that theano.function took under this name, until it went.

    Raises Exception for a name that no Theano knew, in the words of today's.
    """
    if name in {"ProfileMode", "PROFILE_MODE", "PROFILEMODE"}:
        return ProfileMode()
    if name in {"DEBUG_MODE", "FAST_RUN_NOGC"}:
        from theano.compile.mode import get_mode

        return get_mode("DebugMode") if name == "DEBUG_MODE" else predefined_modes["FAST_RUN"]
    raise Exception(f"No predefined mode exist for string: {name}")  # Theano's own
