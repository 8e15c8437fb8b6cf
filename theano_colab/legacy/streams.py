"""Random numbers of the old GPU backend, drawn by MRG_RandomStreams."""

from __future__ import annotations

from typing import Any

from theano.sandbox.rng_mrg import MRG_RandomStreams


class CURAND_RandomStreams(MRG_RandomStreams):  # type: ignore[misc]  # Theano publishes no types
    """MRG_RandomStreams, but for ``updates``; the numbers are others than CURAND drew."""

    def updates(self) -> list[tuple[Any, Any]]:
        """Return the pairs of the states and what they become, for theano.function."""
        return [(update[0], update[1]) for update in self.state_updates]
