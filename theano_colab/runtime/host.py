"""The machine and its Python: system, compiler, headers, CPU, memory, disk, what can be written."""

from __future__ import annotations

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
from theano_colab.runtime.model import Compiler, Fact

COMPILER_LIMIT = 1.5
"""Seconds for the compiler to say its version; it needs some 5 ms."""


def operating_system() -> Fact[str]:
    """Return the name people use: "Ubuntu 22.04.5 LTS"."""
    try:
        release = platform.freedesktop_os_release()
        return Fact.found(release.get("PRETTY_NAME") or release["NAME"], "/etc/os-release")
    except OSError:
        return Fact.found(platform.platform(terse=True), "platform.platform")


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


def cpu() -> Fact[str]:
    """Return the processor's model."""
    source = Path("/proc/cpuinfo")
    if not source.exists():
        name = platform.processor()
        unknown: Fact[str] = Fact.absent("the system does not name it", "platform.processor")
        return Fact.found(name, "platform.processor") if name else unknown
    fields = (line.partition(":") for line in source.read_text().splitlines())
    models = (value.strip() for key, _, value in fields if key.strip() == "model name")
    model = next(models, None)
    if model is None:
        return Fact.absent("it names no model (usual on ARM)", str(source))
    return Fact.found(model, str(source))


def cpu_count() -> Fact[int]:
    """Return the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return Fact.found(len(os.sched_getaffinity(0)), "sched_getaffinity")
    return Fact.found(os.cpu_count() or 1, "os.cpu_count")


def memory_bytes() -> Fact[int]:
    """Return the memory in bytes that can still be had: the machine's, or a container's if less."""
    import psutil

    available = psutil.virtual_memory().available
    left = _container_memory()
    if left is not None and left[0] < available:
        return Fact.found(*left)
    return Fact.found(available, "psutil.virtual_memory().available")


def _container_memory() -> tuple[int, str] | None:
    """Return what the container's limit leaves, by version 2 or 1 of Linux's control groups.

    https://docs.kernel.org/admin-guide/cgroup-v2.html. A container sees its own group at the root.
    Cached file pages that the kernel can drop (inactive_file) count as used there, and not here.
    """
    root = Path("/sys/fs/cgroup")
    for limit, used, stat in (
        (root / "memory.max", root / "memory.current", root / "memory.stat"),
        (
            root / "memory/memory.limit_in_bytes",
            root / "memory/memory.usage_in_bytes",
            root / "memory/memory.stat",
        ),
    ):
        try:
            left = int(limit.read_text()) - int(used.read_text())
            droppable = re.search(r"(?m)^(?:total_)?inactive_file (\d+)", stat.read_text())
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        return max(0, left + int(droppable[1] if droppable else 0)), f"{limit} less {used.name}"
    return None


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
