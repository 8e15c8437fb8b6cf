"""Finds the BLAS libraries that C code on this machine can link, by looking at files only.

The port puts a copy of this very file into the installed Theano, where it runs at every
``import theano``: the standard library only, nothing imported from beside it, no library opened,
no process started, a few hundred ``stat`` calls.

The order of preference, and why:

1. What a conda environment brings. Its NumPy uses the same library.
2. OpenBLAS of the system (Colab: 0.3.20 from apt). Fast on Intel and AMD alike, and complete in
   one file.
3. OpenBLAS inside SciPy's wheel. Theano needs SciPy, so it is nearly always there, and newer than
   the system's; but each symbol is prefixed ``scipy_``, and only a Theano whose C code knows that
   can link it.
4. MKL. Its ``libmkl_rt`` opens more libraries at the first call, among them an OpenMP run-time
   that may be missing or be a second one in the process, and then ends the process. Releases of
   2020 (Colab's) are slow on AMD.
5. BLIS. Right, but one thread unless ``BLIS_NUM_THREADS`` says otherwise.

The reference ``libblas`` is left out: without any BLAS, Theano calls NumPy, whose wheel has an
OpenBLAS of its own, and that is faster. So are libraries with 64-bit integers (``64_``, ``ilp64``):
Theano's C code passes 32-bit ones.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

PREFIX_MACRO = "THEANO_COLAB_BLAS_PREFIX"
"""Defined by the flags of a library whose symbols carry a prefix, with that prefix as its value."""

# For each kind, its linkable files in order of preference. Fedora names OpenBLAS's threaded builds
# libopenblasp and libopenblaso, and its plain libopenblas has one thread.
_FILES = {
    "OpenBLAS": tuple(
        f"libopenblas{build}.so{soname}" for build in ("p", "o", "") for soname in ("", ".0")
    ),
    "MKL": ("libmkl_rt.so", "libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1"),
    "BLIS": ("libblis.so", "libblis.so.4", "libblis.so.3", "libblis.so.2"),
}
_PKGCONFIG = {"OpenBLAS": "openblas.pc", "MKL": "mkl-sdl.pc", "BLIS": "blis.pc"}
_CONDA_PACKAGES = {"OpenBLAS": "libopenblas-", "MKL": "mkl-", "BLIS": "blis-"}
_DEBIAN_PACKAGES = {
    "OpenBLAS": ("libopenblas0-pthread", "libopenblas0-openmp", "libopenblas0-serial"),
    "MKL": ("libmkl-rt",),
    "BLIS": ("libblis4-pthread", "libblis4-openmp", "libblis4-serial", "libblis3-pthread"),
}
_ILP64 = re.compile("openblas64|ilp64|64_")
# Theano splits blas.ldflags at blanks, THEANO_FLAGS at commas, and strips quotes.
_UNWRITABLE = re.compile(r"[\s,'\"]")


class Library(NamedTuple):
    """A BLAS library that C code can link: LP64 integers, Fortran calling convention.

    Attributes
    ----------
    name
        "OpenBLAS", "MKL" or "BLIS".
    version
        As its file name, its package or pkg-config has it; None where none of them tells.
    path
        The file that the linker will open.
    ldflags
        For Theano's ``blas.ldflags``: ``-l`` with, outside the linker's own folders, ``-L`` (Theano
        makes a run path of it) and, for prefixed symbols, ``-D`` of ``PREFIX_MACRO``. No commas, so
        that it can also stand in THEANO_FLAGS.
    prefix
        What stands before every symbol: "" or "scipy_".
    """

    name: str
    version: str | None
    path: str
    ldflags: str
    prefix: str = ""


def find(*, versions: bool = True, root: str = "/") -> list[Library]:
    """Return the libraries found, best first; none where nothing is found or not on Linux.

    Parameters
    ----------
    versions
        False leaves each ``version`` None, and saves the time to read package files.
    root
        Stands before the system's folders (``/usr/lib`` ...); for tests.
    """
    if not sys.platform.startswith("linux"):
        return []
    seen: set[str] = set()
    found: list[Library] = []
    conda = _conda_prefix()
    if conda is not None:
        for kind in _FILES:
            found += _in_folders(kind, [conda / "lib"], (), seen)
    linker, others = _system_folders(Path(root)), _other_folders(Path(root))
    found += _in_folders("OpenBLAS", [*others, *linker], linker, seen)
    found += _in_scipy()
    found += _in_folders("MKL", [*others, *linker], linker, seen)
    found += _in_folders("BLIS", [*others, *linker], linker, seen)
    if versions:
        found = [library._replace(version=_version(library, Path(root))) for library in found]
    return found


def _conda_prefix() -> Path | None:
    """Return the conda environment this Python belongs to (another's libraries are no use)."""
    prefix = Path(sys.prefix)
    return prefix if (prefix / "conda-meta").is_dir() else None


def _system_folders(root: Path) -> list[Path]:
    """Return the folders that linker and loader search unasked."""
    multiarch = getattr(sys.implementation, "_multiarch", "") or f"{os.uname().machine}-linux-gnu"
    names = (f"usr/lib/{multiarch}", f"lib/{multiarch}", "usr/lib64", "lib64", "usr/lib", "lib")
    return [root / name for name in names]


def _other_folders(root: Path) -> list[Path]:
    """Return the folders where a user or an administrator puts libraries, the user's first."""
    folders = [
        Path(entry)
        for variable in ("LD_LIBRARY_PATH", "LIBRARY_PATH")
        for entry in os.environ.get(variable, "").split(os.pathsep)
        if entry.startswith("/")
    ]
    folders.append(Path(sys.prefix) / "lib")
    names = (
        "usr/local/lib64",
        "usr/local/lib",
        "opt/OpenBLAS/lib",
        "opt/intel/oneapi/mkl/latest/lib",
        "opt/intel/oneapi/mkl/latest/lib/intel64",
        "opt/intel/mkl/lib/intel64",
    )
    return folders + [root / name for name in names]


def _in_folders(
    kind: str, folders: list[Path], known: list[Path] | tuple[()], seen: set[str]
) -> list[Library]:
    """Return at most one library per folder; ``seen`` (real paths) grows by what is found."""
    found = []
    for folder in folders:
        for name in _FILES[kind]:
            path = folder / name
            if not _is_library(path):
                continue
            real = os.path.realpath(path)
            flags = _flags(path, linker_knows=folder in known)
            if flags is not None and real not in seen and not _ILP64.search(Path(real).name):
                seen.add(real)
                found.append(Library(kind, None, str(path), flags))
            break
    return found


def _in_scipy() -> list[Library]:
    """Return the OpenBLAS of SciPy's wheel, which auditwheel put beside the package."""
    try:
        spec = importlib.util.find_spec("scipy")
    except ValueError:  # something put a module without a spec under that name
        return []
    if spec is None or spec.origin is None:
        return []
    libs = Path(spec.origin).parent.parent / "scipy.libs"
    for path in sorted(libs.glob("libscipy_openblas-*.so")):
        flags = _flags(path, linker_knows=False)
        if flags is not None and _is_library(path):
            prefix = "scipy_"
            return [
                Library("OpenBLAS", None, str(path), f"{flags} -D{PREFIX_MACRO}={prefix}", prefix)
            ]
    return []


def _is_library(path: Path) -> bool:
    """Tell an ELF file for this machine from a linker script, a broken link or nothing."""
    header = _elf_header(path)
    return header is not None and header == _own_elf_header()


@functools.cache
def _own_elf_header() -> tuple[bytes, bytes] | None:
    return _elf_header(Path("/proc/self/exe")) or _elf_header(Path(sys.executable))


def _elf_header(path: Path) -> tuple[bytes, bytes] | None:
    """Return class and byte order, and machine (man 5 elf); None for any other file or none."""
    try:
        with path.open("rb") as file:
            start = file.read(20)
    except OSError:
        return None
    return (start[4:6], start[18:20]) if start[:4] == b"\x7fELF" else None


def _flags(path: Path, *, linker_knows: bool) -> str | None:
    """Return the flags that link this file, None where they could not be written down."""
    if _UNWRITABLE.search(str(path)):
        return None
    stem, ending = path.name.removeprefix("lib").split(".so", 1)
    # -l:FILE names a file without the development link; Theano does not recognise it in the folder
    # of a -L and would warn, hence only where it must be.
    library = f"-l:{path.name}" if ending else f"-l{stem}"
    return library if linker_knows else f"-L{path.parent} {library}"


def _version(library: Library, root: Path) -> str | None:
    """Read the version from the cheapest place that has it."""
    path = Path(library.path)
    if library.prefix:
        return _scipy_says(path.parent.parent / "scipy" / "__config__.py")
    real = os.path.realpath(path)
    if match := re.search(r"-r?(\d+\.\d+[\w.]*?)\.so", Path(real).name):
        return match[1]
    if match := re.search(r"oneapi/mkl/(\d+\.\d+[\w.]*)/", real):
        return match[1]
    kind = library.name
    return (
        _search(path.parent / "pkgconfig" / _PKGCONFIG[kind], r"(?m)^Version:\s*(\S+)")
        or _conda_says(path.parent.parent / "conda-meta", _CONDA_PACKAGES[kind])
        or _wheel_says(path.parent, kind)
        or _debian_says(root, path, kind)
    )


def _scipy_says(config: Path) -> str | None:
    return _search(config, r'"blas":\s*\{[^}]*?"version":\s*r?"([^"]+)"')


def _conda_says(folder: Path, package: str) -> str | None:
    names = (path.name for path in folder.glob(f"{package}*.json"))
    matches = (re.fullmatch(rf"{package}(\d[^-]*)-[^-]+\.json", name) for name in names)
    return next((match[1] for match in matches if match), None)


def _wheel_says(folder: Path, kind: str) -> str | None:
    """Return the version of the ``mkl`` wheel, which puts its libraries into ``PREFIX/lib``."""
    if kind != "MKL":
        return None
    tags = ("python*/site-packages", "python*/dist-packages")
    found = [path for tag in tags for path in folder.glob(f"{tag}/mkl-[0-9]*.dist-info")]
    return found[0].name.removeprefix("mkl-").removesuffix(".dist-info") if found else None


def _debian_says(root: Path, path: Path, kind: str) -> str | None:
    """Read dpkg's own record; the upstream part of the version, "0.3.20" of "0.3.20+ds-1"."""
    if not any(path.is_relative_to(folder) for folder in (root / "usr/lib", root / "lib")):
        return None
    packages = "|".join(map(re.escape, _DEBIAN_PACKAGES[kind]))
    pattern = rf"(?m)^Package: (?:{packages})\n(?:[^\n]+\n)*?Version: (?:\d+:)?([\w.]+)"
    return _search(root / "var/lib/dpkg/status", pattern)


def _search(path: Path, pattern: str) -> str | None:
    """Return what the pattern's group matches in the file, None where it is not there."""
    try:
        match = re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return match[1] if match else None
