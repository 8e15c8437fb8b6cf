"""Write tests/data/runtimes/*.json from the package lists that Colab publishes.

    PYTHONPATH=. python tests/data/make_runtimes.py FOLDER

FOLDER holds a folder per runtime, with the files of github.com/googlecolab/backend-info
(pip-freeze[.gpu].txt, apt-list[-gpu].txt, os-info[-gpu].txt). Only versions that bear on Theano are
kept. What the lists do not say (memory, disk, GPUs, the driver) is not recorded; tests add it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from theano_colab.runtime.model import Blas, Compiler, Fact, Runtime
from theano_colab.runtime.packages import OF_INTEREST, normalised

OUT = Path(__file__).parent / "runtimes"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"


def published(folder: Path, name: str, ending: str, flavour: str) -> tuple[str, str]:
    """Return the text and name of a list: the flavour's own, or the one for all flavours."""
    own = folder / f"{name}{flavour}{ending}"
    path = own if own.exists() else folder / f"{name}{ending}"
    return path.read_text("utf-8"), path.name


def record(folder: Path, *, gpu: bool) -> dict[str, object]:
    pip, pip_source = published(folder, "pip-freeze", ".txt", ".gpu" if gpu else "")
    apt, apt_source = published(folder, "apt-list", ".txt", "-gpu" if gpu else "")
    system, system_source = published(folder, "os-info", ".txt", "-gpu" if gpu else "")
    packages = {normalised(k): v for k, v in re.findall(r"(?m)^([\w.-]+)==(\S+)$", pip)}
    packages = {k: v for k, v in packages.items() if k in OF_INTEREST or k.startswith("nvidia-")}
    debian = dict(re.findall(r"(?m)^([\w.+-]+)/\S+ (?:\d+:)?([\d.]+)", apt))
    python = re.search(r"(?m)^Python (\S+)", system)[1]
    release = re.search(r"(?m)^Ubuntu .*$", system)[0]
    short = python.rpartition(".")[0]
    known = {
        "front_end": Fact.found("colab", "record"),
        "colab_release": Fact.found(f"release-colab-{folder.name}", "record"),
        "operating_system": Fact.found(release, system_source),
        "machine": Fact.found("x86_64", apt_source),
        "bits": Fact.found(64, "record"),
        "python": Fact.found(python, f"{system_source} (CPython)"),
        "python_executable": Fact.found("/usr/bin/python3", "record"),
        "pip": Fact.found(packages["pip"], pip_source),
        "packages": Fact.found(packages, pip_source),
        "loaded": Fact.found({"numpy": packages["numpy"]}, "record"),
        "compiler": Fact.found(Compiler("/usr/bin/g++", debian["g++-11"]), apt_source),
        "blas": Fact.found(
            (
                blas("OpenBLAS", "openblas", debian["libopenblas0-pthread"]),
                blas("MKL", "mkl_rt", debian["libmkl-rt"]),
            ),
            apt_source,
        ),
        "site_packages": Fact.found(f"/usr/local/lib/python{short}/dist-packages", "record"),
        "site_packages_writable": Fact.found(True, "record"),
        "home_writable": Fact.found(True, "record"),
        "environment": Fact.found({}, "record"),
        "theanorc": Fact.found({}, "record"),
    }
    if f"python{short}-dev" in debian:
        known["python_headers"] = Fact.found(f"/usr/include/python{short}", apt_source)
    blank = Runtime.from_json({})
    whole = Runtime(**{n: known.get(n, getattr(blank, n)) for n in Runtime.__dataclass_fields__})
    return {n: fact for n, fact in whole.to_json().items() if n in known}


def blas(name: str, library: str, version: str) -> Blas:
    return Blas(name, version, f"{LIBRARIES}/lib{library}.so", f"-l{library}")


def main(source: Path) -> None:
    OUT.mkdir(exist_ok=True)
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        for flavour in ("cpu", "gpu"):
            text = json.dumps(record(folder, gpu=flavour == "gpu"), indent=1, sort_keys=True)
            (OUT / f"{folder.name}.{flavour}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
