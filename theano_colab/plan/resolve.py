"""From the facts of a runtime and a request to a plan: steps, flags, notes, or refusals. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from theano_colab.plan import compat as matrix
from theano_colab.plan import jax, libraries, vocabulary
from theano_colab.plan.compat import Compat, at_least, numbers
from theano_colab.plan.devices import Choice, choose, serve
from theano_colab.plan.flags import Flags, FlagsError
from theano_colab.plan.model import Plan, Refusal, Request, Step
from theano_colab.plan.refuse import is_macos, refusals

if TYPE_CHECKING:
    from theano_colab.plan.libraries import Chosen
    from theano_colab.runtime.model import Runtime

PLAN = "%theano setup"
"""The origin of settings that the plan adds."""

_C_LINKERS = frozenset({"c", "c|py", "c|py_nogc", "cvm", "cvm_nogc"})


def resolve(runtime: Runtime, request: Request, compat: Compat | None = None) -> Plan:
    """Plan what setup will do to this runtime for this request.

    Nothing is read but the arguments (``compat`` is this release's matrix unless given) and nothing
    is written. A plan that cannot work has refusals and no steps; it never raises.
    """
    compat = compat or matrix.compat()
    chosen = libraries.choose(runtime, request.libraries)
    compat = compat.of("theano" if isinstance(chosen, Refusal) else chosen.theano)
    refused = refusals(runtime, compat)
    try:
        from_files = Flags.from_theanorc(runtime.theanorc.value or {}, runtime.environment.value)
        user = from_files.merge(
            Flags.parse((runtime.environment.value or {}).get("THEANO_FLAGS", ""))
        )
    except FlagsError as error:
        unreadable = Refusal(error.cause, error.evidence, error.remedy)
        return Plan("cpu", "cpu", "", (), refusals=(*refused, unreadable))
    flags, translations = user.translate()
    choice = choose(runtime, request.device, flags, compat)
    if isinstance(choice, Refusal):
        refused = (*refused, choice)
    if isinstance(chosen, Refusal):
        refused = (*refused, chosen)
    if refused or isinstance(choice, Refusal) or isinstance(chosen, Refusal):
        return Plan("cpu", "cpu", "", (), notes=translations, refusals=refused)
    flags, flag_notes, also = _settle(runtime, request, flags, choice, compat)
    text = _for_environment(flags, from_files).text()
    choice = replace(choice, steps=tuple(dict.fromkeys((*choice.steps, *also))))
    return Plan(
        backend=choice.backend,
        device=choice.device,
        flags=text,
        steps=_steps(runtime, text, flags, choice, chosen, compat),
        notes=(
            *libraries.notes(runtime, chosen),
            *translations,
            *choice.notes,
            *flag_notes,
            *_notes(runtime, flags, compat),
            *_memory_note(runtime, choice),
        ),
        precision=flags.get("xla.precision") or "float32" if choice.backend == "xla" else "",
        environment=chosen.environment,
        theano=chosen.theano,
    )


def _settle(
    runtime: Runtime, request: Request, flags: Flags, choice: Choice, compat: Compat
) -> tuple[Flags, tuple[str, ...], tuple[Step, ...]]:
    """Add to the user's flags what the plan needs, and take out what would stop Theano.

    Returns the flags, notes, and the steps that devices beside the chosen one need.
    """
    notes: list[str] = []
    if flags.get("device") != choice.device:
        flags = flags.with_setting("device", choice.device, PLAN)
    if request.floatX:
        flags = flags.with_setting("floatX", request.floatX, PLAN)
    elif choice.device != "cpu" and not flags.get("floatX"):
        flags = flags.with_setting("floatX", "float32", PLAN)
    flags, said, also = _other_devices(runtime, flags, choice, compat)
    notes += said
    flags, said = _precision(request, flags, choice, compat)
    notes += said
    if choice.backend == "gpuarray":
        flags, said = _cudnn(runtime, flags, compat)
        notes += said
    lacking = _lacks_to_compile(runtime)
    if lacking and flags.get("cxx") is None:
        flags = flags.with_setting("cxx", "", PLAN)
        notes.append(lacking)
        if flags.get("linker") in _C_LINKERS:
            flags = flags.with_setting("linker", "vm", PLAN)
    own_folder = flags.get("base_compiledir") or flags.get("compiledir")
    if runtime.home_writable.value is False and not own_folder:
        folder = runtime.temporary_folder.value or "/tmp/theano"  # noqa: S108  # Theano makes it
        flags = flags.with_setting("base_compiledir", folder, PLAN)
        notes.append(f"Your home folder cannot be written: compiled code goes to {folder}.")
    return flags, tuple(notes), also


def _other_devices(
    runtime: Runtime, flags: Flags, choice: Choice, compat: Compat
) -> tuple[Flags, tuple[str, ...], tuple[Step, ...]]:
    """Keep ``init_gpu_device`` and ``contexts`` where every device that they name can be served."""
    notes: list[str] = []
    steps: list[Step] = []
    for name in ("init_gpu_device", "contexts"):
        value = flags.get(name)
        if not value:
            continue
        served = _serve_named(runtime, name, value, choice, compat)
        if isinstance(served, str):
            notes.append(f"{name}={value} is left out: {served}")
            flags = flags.without(name)
        else:
            steps += served
    return flags, tuple(notes), tuple(steps)


def _serve_named(
    runtime: Runtime, name: str, value: str, choice: Choice, compat: Compat
) -> tuple[Step, ...] | str:
    """Return the steps that the devices named need, or why one of them cannot be served."""
    if name == "init_gpu_device" and choice.device != "cpu":
        return "it works with device=cpu only."
    steps: list[Step] = []
    for one in filter(None, value.split(";")):
        _, arrow, device = one.rpartition("->")
        if (name == "contexts") != bool(arrow):
            return f"{one} is not of the form name->device."
        served = serve(runtime, device.strip(), compat)
        if isinstance(served, Refusal):
            return f"{served.cause.rstrip('.')} ({served.evidence})."
        if served.device != device.strip():
            return f"{device.strip()} is called {served.device} here."
        steps += served.steps
    return tuple(steps)


def _precision(
    request: Request, flags: Flags, choice: Choice, compat: Compat
) -> tuple[Flags, tuple[str, ...]]:
    """Set the precision that was asked for, and say where it has no effect."""
    if request.precision and choice.backend == "xla":
        flags = flags.with_setting("xla.precision", request.precision, PLAN)
    asked = request.precision or flags.get("xla.precision")
    if asked != "tf32":
        return flags, ()
    if choice.backend != "xla":
        return flags, (f"precision tf32 has no effect: device={choice.device} does not use XLA.",)
    able = [g for g in choice.gpus if g.compute_capability >= numbers(compat.tf32_capability)]
    if choice.gpus and not able:
        gpu = choice.gpus[0]
        has = ".".join(map(str, gpu.compute_capability))
        needs = f"TF32 needs compute capability {compat.tf32_capability}, and it has {has}"
        return flags, (f"precision tf32 has no effect on {gpu.name}: {needs}.",)
    return flags, ()


def _cudnn(runtime: Runtime, flags: Flags, compat: Compat) -> tuple[Flags, tuple[str, ...]]:
    """Keep Theano's GPU backend from a cuDNN that its convolutions do not compile against."""
    versions = [
        library.version
        for library in runtime.cuda_libraries.value or ()
        if library.name == "cudnn" and library.version
    ]
    versions += [
        v for k, v in (runtime.packages.value or {}).items() if k.startswith("nvidia-cudnn")
    ]
    new = [v for v in versions if at_least(v, str(compat.gpuarray_cudnn_below))]
    if not new or flags.get("dnn.enabled"):
        return flags, ()
    note = (
        f"cuDNN {new[0]} is not used: Theano's convolutions need cuDNN below "
        f"{compat.gpuarray_cudnn_below}."
    )
    return flags.with_setting("dnn.enabled", "False", PLAN), (note,)


def _lacks_to_compile(runtime: Runtime) -> str | None:
    """Name what is missing to compile C code, and what to do about it."""
    slow = "Theano runs in Python, many times slower."
    if runtime.compiler.value is None:
        return f"No C++ compiler was found: {slow} Install one (apt install g++), run setup again."
    if runtime.python_headers.value is None:
        return (
            f"Python's C headers were not found: {slow} "
            f"Install them (apt install python{_python(runtime)}-dev), run setup again."
        )
    return None


def _python(runtime: Runtime) -> str:
    """Return this Python's "3.13"."""
    return ".".join(map(str, numbers(runtime.python.value or "")[:2]))


def _for_environment(flags: Flags, from_files: Flags) -> Flags:
    """Return what THEANO_FLAGS must say so that Theano, which reads .theanorc too, ends up there.

    What a .theanorc already says is not repeated. What was left out of it is set to "", because
    Theano stops at the old value.
    """
    unchanged = {s.name for s in flags.settings if s in from_files.settings}
    said = Flags(tuple(s for s in flags.settings if s.name not in unchanged))
    for setting in from_files.settings:
        if flags.get(setting.name) is None and vocabulary.is_known(setting.name):
            said = said.with_setting(setting.name, "", PLAN)
    return said


def _steps(  # noqa: PLR0913, PLR0917  # everything that a plan has was decided by then
    runtime: Runtime, text: str, flags: Flags, choice: Choice, chosen: Chosen, compat: Compat
) -> tuple[Step, ...]:
    packages = runtime.packages.value or {}
    python = _python(runtime)
    numpy = packages.get("numpy", compat.numpy_minimum)
    present = packages.get(compat.distribution)
    owners = [name for name, _ in compat.ports if name in packages]
    done = present == compat.port and owners == [compat.distribution]
    missing = tuple(d for d in compat.dependencies if d.name not in packages)
    steps: list[Step] = []
    if missing or "numpy" not in packages:
        # Naming NumPy's own version keeps pip from changing it.
        pin = f"numpy=={numpy}" if "numpy" in packages else f"numpy>={compat.numpy_minimum}"
        names = [d.name for d in missing] + ([] if "numpy" in packages else ["numpy"])
        steps.append(
            Step(
                "install",
                f"Install {' and '.join(names)}",
                f"Theano imports {' and '.join(names)}, and they are not here.",
                (*(f"{d.name}>={d.minimum}" for d in missing), pin),
            )
        )
    steps += choice.steps
    spoken = f"{compat.name} {compat.upstream}"
    build = f"Build {spoken} for Python {python} and NumPy {numpy}"
    why = f"{spoken} as published does not import on Python {python} or NumPy 2."
    steps += [
        Step("build-port", build, why, kept=done),
        Step(
            "install",
            f"Install {compat.name} {compat.port}",
            _why_install(packages, compat),
            (f"{compat.distribution}=={compat.port}",),
            kept=done,
        ),
        *libraries.steps(runtime, chosen),
        Step(
            "set-flags",
            " and ".join(["Set THEANO_FLAGS", *(name for name, _ in chosen.environment)]),
            "Theano reads its flags once, when it is imported.",
            kept=all(
                (runtime.environment.value or {}).get(name, "") == value
                for name, value in (("THEANO_FLAGS", text), *chosen.environment)
            ),
        ),
        Step("warm", "Compile what every import needs", _why_warm(runtime, flags)),
        Step(
            "verify",
            f"Check computed results on {_spoken(choice)}",
            "Only a result that agrees with NumPy's shows that Theano works.",
        ),
        *libraries.check(chosen),
    ]
    return tuple(steps)


def _spoken(choice: Choice) -> str:
    """Return "cuda (Tesla T4)"; without the name where the device may be any of several."""
    names = {gpu.name for gpu in choice.gpus}
    return f"{choice.device} ({names.pop()})" if len(names) == 1 else choice.device


def _why_install(packages: dict[str, str], compat: Compat) -> str:
    present = packages.get(compat.distribution)
    if present is not None and present != compat.port:
        return (
            f"It takes the place of {compat.name} {present}, which does not run on this Python and "
            "NumPy."
        )
    for other, port in compat.ports:
        if other != compat.distribution and other in packages:
            return f"It takes the place of {port.name} {packages[other]}: a kernel has one Theano."
    if present is None:
        return "Every process then imports Theano as usual, and pip finds it satisfied."
    return "It is installed already."


def _why_warm(runtime: Runtime, flags: Flags) -> str:
    if flags.get("cxx") == "":
        return "Without a compiler only the import itself is tried."
    own = flags.get("blas.ldflags")
    if own is not None:
        return f"The first import is then quick; BLAS as you set it: blas.ldflags={own}."
    if not runtime.blas.value:
        return "The first import is then quick; matrix products go through NumPy."
    library = runtime.blas.value[0]
    version = f" {library.version}" if library.version else ""
    return f"The first import is then quick; {library.name}{version} is linked ({library.path})."


def _notes(runtime: Runtime, flags: Flags, compat: Compat) -> tuple[str, ...]:
    notes = []
    version = runtime.python.value or ""
    newest = numbers(compat.python_tested)
    if numbers(version)[: len(newest)] > newest:
        notes.append(f"Python {version} was not tested; the checks at the end decide.")
    if "free-threaded" in runtime.python.source:
        notes.append("Free-threaded Python was not tested; the checks at the end decide.")
    if is_macos(runtime):
        notes.append("macOS was not tested; the checks at the end decide.")
    if runtime.site_packages_writable.value is False and runtime.user_site.value:
        own = runtime.user_site.value
        notes.append(f"site-packages cannot be written: pip installs into your own {own}.")
    if not runtime.blas.value and flags.get("blas.ldflags") is None and flags.get("cxx") != "":
        notes.append("No BLAS that C code can link was found: matrix products go through NumPy.")
    loaded = (runtime.loaded.value or {}).get("theano")
    if loaded == compat.port:
        notes.append("Theano is imported already: setup sets live what Theano lets one set.")
    elif loaded is not None:
        notes.append(f"Theano {loaded} is imported already: a restart is needed after setup.")
    return tuple(notes)


def _memory_note(runtime: Runtime, choice: Choice) -> tuple[str, ...]:
    """Say so where the user's own JAX took its memory before Theano could have a say."""
    if not jax.is_started(runtime) or not choice.gpus or "theano" in (runtime.loaded.value or {}):
        return ()
    return (
        "JAX was started before Theano: XLA's share of the GPU's memory is set already, and "
        "gpuarray.preallocate has no effect.",
    )
