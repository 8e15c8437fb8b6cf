"""The two Theanos that the port rebuilds: which archive, which rules, what is put beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from theano_colab.port import sdist

if TYPE_CHECKING:
    from theano_colab.port.archive import Archive

HERE = Path(__file__).parent
RULES = HERE / "rules"
SUPPORT = HERE / "support"


@dataclass(frozen=True, slots=True)
class Flavour:
    """One Theano as the port builds it.

    Parameters
    ----------
    archive
        Its sdist.
    build
        The number of our rebuild, from 1.
    authors, home
        Of the original, for the wheel's metadata.
    requires
        What it imports, as ``Requires-Dist``.
    changes
        The folder of what differs from the first flavour's rules, or None (``rewrite.load_rules``).
    modules
        The folder of modules that are put into ``theano`` where it has none, or None.
    """

    archive: Archive
    build: int
    authors: str
    home: str
    requires: tuple[str, ...]
    changes: Path | None = None
    modules: Path | None = None

    @property
    def distribution(self) -> str:
        """Its name as pip normalizes it: "theano-pymc"."""
        return canonicalize_name(self.archive.name)

    @property
    def version(self) -> str:
        """The port's version: the original's, with a local label that says it is a rebuild."""
        return f"{self.archive.version}+colab.{self.build}"

    @property
    def stem(self) -> str:
        """What the wheel's and its ``.dist-info`` folder's name begin with."""
        return f"{self.distribution.replace('-', '_')}-{self.version}"


THEANO = Flavour(
    archive=sdist.THEANO,
    build=1,
    authors="LISA laboratory, University of Montreal",
    home="http://deeplearning.net/software/theano/",
    requires=("numpy>=2.0", "scipy>=1.13", "six>=1.9.0"),
)
# PyMC's fork, which PyMC3 3.10 and 3.11 want: modules moved (gof is graph and link), Python 2 went.
PYMC = Flavour(
    archive=sdist.THEANO_PYMC,
    build=1,
    authors="pymc-devs",
    home="http://deeplearning.net/software/theano/",
    requires=("numpy>=2.0", "scipy>=1.13", "filelock"),
    changes=RULES / "theano_pymc",
    modules=HERE / "support_theano_pymc",
)
FLAVOURS = (THEANO, PYMC)


def by_distribution(name: str) -> Flavour:
    """Return the flavour of this distribution name; KeyError if there is none."""
    return {one.distribution: one for one in FLAVOURS}[canonicalize_name(name)]
