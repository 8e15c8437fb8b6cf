"""Random numbers of the old GPU backend, drawn by MRG_RandomStreams."""

from __future__ import annotations

from typing import Any

from theano.sandbox import rng_mrg

# Theano-PyMC has it without the last letter.
_Base = getattr(rng_mrg, "MRG_RandomStream", None) or rng_mrg.MRG_RandomStreams


class CURAND_RandomStreams(_Base):  # type: ignore[misc]  # Theano publishes no types
    """MRG_RandomStreams, but for ``updates``; the numbers are others than CURAND drew."""

    def updates(self) -> list[tuple[Any, Any]]:
        """Return the pairs of the states and what they become, for theano.function."""
        return [(update[0], update[1]) for update in self.state_updates]
