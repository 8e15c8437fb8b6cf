"""The machine and its Python: system, compiler and tools, headers, disk, what can be written."""

from __future__ import annotations

import locale
import os
import platform
import re
import shutil
import site
import struct
import sys
import sysconfig
from pathlib import Path

from theano_colab.runtime import child
from theano_colab.runtime.model import Compiler, Fact, Tool

COMPILER_LIMIT = 1.5
"""Seconds for the compiler, or another tool, to say its version; it needs some 5 ms."""

TOOLS = ("gcc", "clang", "cmake", "nvcc")
"""What Theano itself does not call, but what pygpu and libgpuarray are built by."""


def operating_system() -> Fact[str]:
    """Return the name people use: "Ubuntu 22.04.5 LTS"."""
    try:
        release = platform.freedesktop_os_release()
        return Fact.found(release.get("PRETTY_NAME") or release["NAME"], "/etc/os-release")
    except OSError:
        return Fact.found(platform.platform(terse=True), "platform.platform")


def kernel() -> Fact[str]:
    """Return the system's kernel: "Linux 6.1.0-18-cloud-amd64 #1 SMP ..."."""
    system = os.uname()
    return Fact.found(f"{system.sysname} {system.release} {system.version}", "os.uname")


def libc() -> Fact[str]:
    """Return the C library, which decides which wheels can be installed: "glibc 2.35"."""
    source = "confstr(CS_GNU_LIBC_VERSION)"
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError) as error:
        return Fact.absent(f"this C library is not glibc: {error}", source)
    return Fact.found(version, source) if version else Fact.absent("it says nothing", source)


def text_locale() -> Fact[str]:
    """Return the locale of texts, which decides how a compiler's messages are decoded."""
    return Fact.found(locale.setlocale(locale.LC_CTYPE), "setlocale(LC_CTYPE)")


def machine() -> Fact[str]:
    """Return the machine's architecture: "x86_64", "aarch64"."""
    return Fact.found(platform.machine(), "os.uname")


def bits() -> Fact[int]:
    """Return the width of this Python's pointers: 32 or 64."""
    return Fact.found(struct.calcsize("P") * 8, "sizeof(void *)")


def python() -> Fact[str]:
    """Return this Python's version: "3.13.0". The source also names the implementation."""
    name = platform.python_implementation()
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        name += ", free-threaded"
    return Fact.found(platform.python_version(), f"sys.version_info ({name})")


def python_build() -> Fact[str]:
    """Return when and by which compiler this Python was made."""
    return Fact.found(" ".join(sys.version.split()), "sys.version")


def python_executable() -> Fact[str]:
    """Return the program that runs this Python."""
    if not sys.executable:
        return Fact.absent("this Python is embedded in another program", "sys.executable")
    return Fact.found(sys.executable, "sys.executable")


def ask_compiler() -> tuple[str, child.Question] | None:
    """Start asking the compiler that Theano's ``cxx`` defaults to; None where there is none.

    That is g++, on macOS and FreeBSD clang++ (Theano's configdefaults.py).
    """
    prefers_clang = sys.platform == "darwin" or sys.platform.startswith("freebsd")
    for name in ("clang++", "g++") if prefers_clang else ("g++",):
        path = shutil.which(name)
        if path is not None:
            return path, child.Question([path, "-dumpfullversion", "-dumpversion"])
    return None


def compiler(asked: tuple[str, child.Question] | None) -> Fact[Compiler]:
    """Return the C++ compiler; absent too where it is on PATH but does not answer."""
    if asked is None:
        return Fact.absent("no g++ on PATH", "$PATH")
    path, question = asked
    answer = question.answer(COMPILER_LIMIT)
    version = answer.output.strip()
    if answer.failure is not None or not version:
        return Fact.absent(answer.failure or "it says no version", path)
    return Fact.found(Compiler(path, version), f"{path} -dumpfullversion")


def ask_tools() -> dict[str, tuple[str, child.Question]]:
    """Start asking the tools that are on PATH for their versions."""
    found = {name: shutil.which(name) for name in TOOLS}
    return {
        name: (path, child.Question([path, "--version"]))
        for name, path in found.items()
        if path is not None
    }


def tools(asked: dict[str, tuple[str, child.Question]]) -> Fact[tuple[Tool, ...]]:
    """Return the tools, each with the line of its answer that holds its version."""
    source = f"$PATH, {', '.join(TOOLS)} --version"
    found = []
    for name, (path, question) in asked.items():
        answer = question.answer(COMPILER_LIMIT)
        lines = [line for line in answer.output.splitlines() if re.search(r"\d\.\d", line)]
        said = lines[0].strip() if lines and answer.failure is None else None
        found.append(Tool(name, path, said))
    if not found:
        return Fact.absent(f"none of {', '.join(TOOLS)} is on PATH", source)
    return Fact.found(tuple(found), source)


def container(root: Path = Path("/")) -> Fact[str]:
    """Return what contains this system: "docker", "podman", "kubernetes". ``root`` is for tests."""
    marks = {
        ".dockerenv": "docker",
        "run/.containerenv": "podman",
        "var/run/secrets/kubernetes.io": "kubernetes",
    }
    for mark, name in marks.items():
        if (root / mark).exists():
            return Fact.found(name, str(root / mark))
    return Fact.absent("no sign of a container", ", ".join(f"/{mark}" for mark in marks))


def pci_gpus(devices: Path = Path("/sys/bus/pci/devices")) -> Fact[int]:
    """Return how many NVIDIA display controllers (PCI class 03) are on the bus."""
    if not devices.is_dir():
        return Fact.absent("there is no such folder", str(devices))
    count = 0
    for device in devices.iterdir():
        try:
            vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
        except OSError:
            continue
        count += vendor == "0x10de" and kind.startswith("0x03")
    return Fact.found(count, str(devices))


def python_headers() -> Fact[str]:
    """Return the folder of Python.h, without which nothing that Theano writes compiles."""
    folder = sysconfig.get_path("include")
    if (Path(folder) / "Python.h").is_file():
        return Fact.found(folder, "sysconfig.get_path('include')")
    return Fact.absent(f"no Python.h in {folder}", "sysconfig.get_path('include')")


def disk_free_bytes() -> Fact[int]:
    """Return the free bytes of the fullest disk that setup would write to.

    Those of site-packages, the home folder (Theano's compile directory, caches) and the temporary
    folder.
    """
    places = [sysconfig.get_path("purelib"), os.path.expanduser("~"), _temporary()]  # noqa: PTH111  # "~" stays where there is no home: no error
    free, place = min((shutil.disk_usage(existing(Path(p))).free, p) for p in places)
    return Fact.found(free, f"statvfs of {place}")


def _temporary() -> str:
    """Return the temporary folder, but not as ``tempfile``, which writes a file to try it."""
    names = ("TMPDIR", "TEMP", "TMP")
    return next((value for value in map(os.environ.get, names) if value), "/tmp")  # noqa: S108  # only looked at


def site_packages() -> Fact[str]:
    """Return the folder into which pip installs for this Python."""
    return Fact.found(sysconfig.get_path("purelib"), "sysconfig.get_path('purelib')")


def site_packages_writable() -> Fact[bool]:
    """Tell whether this user may write there; the source also names a PEP 668 marker.

    Where that marker lies and this is no virtual environment, pip refuses to install even so
    unless told ``--break-system-packages``.
    """
    writable, source = _writable(Path(sysconfig.get_path("purelib")))
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    if sys.prefix == sys.base_prefix and marker.exists():
        source += f"; {marker} is there (PEP 668)"
    return Fact.found(writable, source)


def user_site() -> Fact[str]:
    """Return the folder that pip falls back to by itself where site-packages cannot be written."""
    if not site.ENABLE_USER_SITE:
        reason = "this Python has none: a virtual environment, or PYTHONNOUSERSITE"
        return Fact.absent(reason, "site.ENABLE_USER_SITE")
    folder = site.getusersitepackages()
    writable, source = _writable(Path(folder))
    return (
        Fact.found(folder, source) if writable else Fact.absent(f"not writable: {folder}", source)
    )


def temporary_folder() -> Fact[str]:
    """Return a folder for this user's throw-away files; it need not exist yet."""
    return Fact.found(f"{_temporary()}/theano-{os.getuid()}", "$TMPDIR, os.getuid")


def home_writable() -> Fact[bool]:
    """Tell whether this user may write into the home folder."""
    try:
        home = Path.home()
    except RuntimeError as error:
        return Fact.absent(str(error), "$HOME, passwd")
    return Fact.found(*_writable(home))


def _writable(folder: Path) -> tuple[bool, str]:
    """Ask the system, as the effective user; a read-only disk answers no, and so it does for root.

    For a folder that does not exist yet, its nearest parent that does.
    """
    asked = existing(folder)
    effective = os.access in os.supports_effective_ids
    return os.access(asked, os.W_OK | os.X_OK, effective_ids=effective), f"access({asked})"


def existing(path: Path) -> Path:
    """Return the path, or the nearest parent that exists."""
    # Not Path.exists, which raises in a folder that may not be searched.
    return next(p for p in (path, *path.absolute().parents) if os.path.exists(p))  # noqa: PTH110
