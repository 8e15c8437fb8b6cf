"""``python -m theano_colab.port OUTDIR [--sdist FILE]`` builds the port's wheel."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from theano_colab.errors import TheanoColabError
from theano_colab.port.archive import fetch
from theano_colab.port.sdist import THEANO
from theano_colab.port.wheel import build_wheel


def main(arguments: list[str] | None = None) -> int:
    """Build the wheel, print its path; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m theano_colab.port", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="OUTDIR", help="where the wheel goes")
    parser.add_argument(
        "--sdist", type=Path, help="Theano-1.0.5.tar.gz; fetched with pip if absent"
    )
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            sdist = options.sdist or fetch(THEANO, Path(scratch))
            print(build_wheel(sdist, options.folder))  # noqa: T201  # this is its output
    except (TheanoColabError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201  # likewise
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
