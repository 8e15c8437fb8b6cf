"""What was verified before: kept for the very same facts, so that it need not be done again."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from theano_colab import paths

if TYPE_CHECKING:
    from theano_colab.libraries.catalogue import Release
    from theano_colab.plan.model import Plan
    from theano_colab.runtime.model import Runtime
    from theano_colab.verify.battery import Verified


def recall(plan: Plan, runtime: Runtime) -> Verified | None:
    """Return what was verified of Theano, if what was compiled then is there."""
    with contextlib.suppress(OSError, ValueError, TypeError, PackageNotFoundError):
        content = _read(_record(plan, runtime))

        from theano_colab.verify.battery import Verified

        verified = Verified(**content)
        if Path(verified.compiledir).is_dir():
            return verified
    return None


def remember(plan: Plan, runtime: Runtime, verified: Verified) -> None:
    """Keep what was verified of Theano."""
    _write(_record(plan, runtime), dataclasses.asdict(verified))


def recall_library(plan: Plan, runtime: Runtime, release: Release) -> str | None:
    """Return what the check of a library found."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, PackageNotFoundError):
        return str(_read(_record(plan, runtime, release))["found"])
    return None


def remember_library(plan: Plan, runtime: Runtime, release: Release, found: str) -> None:
    """Keep what the check of a library found."""
    _write(_record(plan, runtime, release), {"found": found})


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8")))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(content), "utf-8")
    scratch.replace(path)


def _record(plan: Plan, runtime: Runtime, release: Release | None = None) -> Path:
    """Return the file for these facts, named by a digest of all that a result depends on."""
    packages = runtime.packages.value or {}
    environment = runtime.environment.value or {}
    depends: list[object] = [
        plan.flags,
        runtime.python.value,
        runtime.python_executable.value,
        runtime.cpu.value,
        repr(runtime.compiler.value),
        repr(runtime.blas.value),
        repr(runtime.theanorc.value),
        [packages.get(name) for name in ("numpy", "scipy", "six")],
        [item for item in packages.items() if item[0].startswith(("jax", "nvidia-", "pygpu"))],
        [environment.get(name) for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "XLA_FLAGS")],
        [repr(runtime.driver.value), repr(runtime.gpus.value)],
        *_installed(plan.theano, "theano"),
    ]
    if release is not None:
        depends += [repr(release), release.program.read_text("utf-8")]
        depends += _installed(release.distribution, release.module)
        # Asked now: the facts are those from before what it needs was installed.
        depends += [version(Requirement(need.requirement).name) for need in release.needs]
    digest = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:24]
    return paths.cache_dir() / "verified" / f"{digest}.json"


def _installed(name: str, module: str) -> tuple[object, ...]:
    """Return version, place and age of an installed package."""
    found = distribution(name)
    place = Path(str(found.locate_file(f"{module}/__init__.py")))
    return found.version, str(place), place.stat().st_mtime_ns
