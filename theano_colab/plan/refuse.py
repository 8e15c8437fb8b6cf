"""What makes a runtime unfit, found before anything is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from theano_colab.plan.compat import Compat, at_least
from theano_colab.plan.model import Refusal

if TYPE_CHECKING:
    from theano_colab.runtime.model import Runtime

_BITS = 64


def refusals(runtime: Runtime, compat: Compat) -> tuple[Refusal, ...]:
    """Return every reason why Theano cannot be set up here; what was not recorded is no reason."""
    of_the_machine = (_system, _bits, _pip, _site_packages, _numpy_changed)
    of_versions = (_python, _numpy, _dependencies, _owners, _disk)
    found = [check(runtime) for check in of_the_machine]
    found += [check(runtime, compat) for check in of_versions]
    return tuple(refusal for refusal in found if refusal is not None)


def implementation(runtime: Runtime) -> str:
    """Return which Python this is ("CPython", "PyPy"), from the source of its version."""
    match = re.search(r"\((\w+)", runtime.python.source)
    return match[1] if match else "CPython"


def is_macos(runtime: Runtime) -> bool:
    """Say whether this is macOS, on which the port was not tested."""
    return bool(re.search(r"macos|darwin", runtime.operating_system.value or "", re.IGNORECASE))


def _system(runtime: Runtime) -> Refusal | None:
    system = runtime.operating_system.value or ""
    if not re.match(r"windows|win32", system, re.IGNORECASE):
        return None
    return Refusal(
        "The port of Theano is not made for Windows.",
        f"this is {system}",
        "Use Colab, or Linux inside Windows (WSL: wsl --install), and run Jupyter there.",
    )


def _bits(runtime: Runtime) -> Refusal | None:
    if runtime.bits.value in {None, _BITS}:
        return None
    return Refusal(
        "The port of Theano needs a 64-bit Python.",
        f"this Python has {runtime.bits.value} bits ({runtime.machine.value or 'machine unknown'})",
        "Install a 64-bit Python and start the kernel with it.",
    )


def _python(runtime: Runtime, compat: Compat) -> Refusal | None:
    kind, version = implementation(runtime), runtime.python.value
    if kind != "CPython":
        return Refusal(
            f"Theano's C code needs CPython; this is {kind}.",
            f"{kind} {version}, {runtime.python_executable.value}",
            f"Start the kernel with CPython {compat.python_minimum} to {compat.python_tested}.",
        )
    if not version or at_least(version, compat.python_minimum):
        return None
    newest = "choose the newest runtime version under Runtime > Change runtime type"
    return Refusal(
        f"Python {version} is too old for the port of Theano.",
        f"it needs Python {compat.python_minimum} or newer; {runtime.python_executable.value}",
        f"On Colab, {newest}; elsewhere use Python {compat.python_minimum} or newer.",
    )


def _pip(runtime: Runtime) -> Refusal | None:
    if runtime.pip.value is not None or runtime.pip.missing == "not recorded":
        return None
    executable = runtime.python_executable.value or "python"
    return Refusal(
        "pip is missing, and setup installs with it.",
        runtime.pip.missing or f"asked: {runtime.pip.source}",
        f"Run: {executable} -m ensurepip --upgrade",
    )


def _numpy(runtime: Runtime, compat: Compat) -> Refusal | None:
    version = (runtime.packages.value or {}).get("numpy")
    if version is None or at_least(version, compat.numpy_minimum):
        return None
    return Refusal(
        f"NumPy {version} is too old for the port of Theano.",
        f"it needs NumPy {compat.numpy_minimum} or newer, and setup never changes NumPy",
        f'pip install "numpy>={compat.numpy_minimum}", restart the runtime, run setup again.',
    )


def _numpy_changed(runtime: Runtime) -> Refusal | None:
    disk = (runtime.packages.value or {}).get("numpy")
    loaded = (runtime.loaded.value or {}).get("numpy")
    if disk is None or loaded in {None, "unknown", disk}:
        return None
    return Refusal(
        "NumPy was changed after this kernel imported it.",
        f"imported: NumPy {loaded}; on disk: NumPy {disk}",
        "Restart the runtime, then run setup again.",
    )


def _dependencies(runtime: Runtime, compat: Compat) -> Refusal | None:
    packages = runtime.packages.value or {}
    for needed in compat.dependencies:
        version = packages.get(needed.name)
        if version is not None and not at_least(version, needed.minimum):
            return Refusal(
                f"{needed.name} {version} is too old for the port of Theano.",
                f"it needs {needed.name} {needed.minimum} or newer, {needed.reason}",
                f'pip install "{needed.name}>={needed.minimum}", then run setup again.',
            )
    return None


def _owners(runtime: Runtime, compat: Compat) -> Refusal | None:
    packages = runtime.packages.value or {}
    for name, needed_by in compat.conflicts:
        if name in packages and "+colab." not in packages[name]:
            return Refusal(
                f"{name} {packages[name]} is installed, which {needed_by} uses as 'theano'.",
                f"both would own {runtime.site_packages.value or 'site-packages'}/theano",
                f"pip uninstall {name} if nothing here needs {needed_by}; "
                "else set Theano up in another runtime.",
            )
    return None


def _site_packages(runtime: Runtime) -> Refusal | None:
    executable = runtime.python_executable.value or "python3"
    own = f"Make an environment of your own ({executable} -m venv FOLDER)"
    if "PEP 668" in runtime.site_packages_writable.source:
        return Refusal(
            "This Python belongs to the operating system, and pip refuses to install into it.",
            runtime.site_packages_writable.source,
            f"{own} and start the kernel in it.",
        )
    if runtime.site_packages_writable.value is not False or runtime.user_site.value:
        return None
    return Refusal(
        "Python's site-packages cannot be written, and there is no user site to use instead.",
        f"not writable: {runtime.site_packages.value or runtime.site_packages_writable.source}",
        f"{own} and start the kernel in it.",
    )


def _disk(runtime: Runtime, compat: Compat) -> Refusal | None:
    free = runtime.disk_free_bytes.value
    if free is None or free >= compat.disk_minimum_mb * 10**6:
        return None
    return Refusal(
        "The disk is nearly full.",
        f"{free // 10**6} MB are free; setup needs about {compat.disk_minimum_mb} MB",
        "Delete what you no longer need, then run setup again.",
    )
