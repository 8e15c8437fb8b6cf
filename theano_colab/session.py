"""String the parts together: detect, plan, apply, set the flags, warm, verify."""

from __future__ import annotations

import dataclasses
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab import live, verified
from theano_colab.errors import TheanoColabError, from_os_error
from theano_colab.libraries import catalogue
from theano_colab.plan.flags import Flags
from theano_colab.plan.libraries import SPOKEN
from theano_colab.plan.resolve import resolve
from theano_colab.progress import Progress, SetupState, StepState
from theano_colab.runtime import accelerators, detect
from theano_colab.show.line import runtime_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from theano_colab.plan.flags import Setting
    from theano_colab.plan.model import Plan, Request
    from theano_colab.runtime.model import Runtime
    from theano_colab.verify.battery import Verified

# install and verify are imported where they are used: they bring NumPy, which takes longer than all
# that info has to do, and which info would then find imported.

FLAGS = "THEANO_FLAGS"

# THEANO_FLAGS as the user left it and as setup wrote it over: a second setup starts from the
# user's text, not from its own.
_written: tuple[str | None, str] | None = None


def facts() -> Runtime:
    """Return the runtime's facts, with THEANO_FLAGS as the user wrote it."""
    runtime = detect()
    original = user_flags_text()
    environment = dict(runtime.environment.value or {})
    environment.pop(FLAGS, None)
    if original is not None:
        environment[FLAGS] = original
    return dataclasses.replace(
        runtime, environment=dataclasses.replace(runtime.environment, value=environment)
    )


def with_jax(runtime: Runtime) -> Runtime:
    """Return the facts with JAX's devices: this process's if JAX is started, else a subprocess's.

    The latter takes seconds.
    """
    devices = accelerators.started() or accelerators.read(accelerators.ask())
    return dataclasses.replace(runtime, jax_devices=devices)


def plan(request: Request, runtime: Runtime | None = None) -> tuple[Runtime, Plan]:
    """Return the facts (those given, else today's) and what setup would do.

    JAX is asked for its devices where the plan would compute on one and was not verified before.
    """
    runtime = facts() if runtime is None else runtime
    planned = resolve(runtime, request)
    if planned.uses_jax and (accelerators.started() or verified.recall(planned, runtime) is None):
        runtime = with_jax(runtime)
        planned = resolve(runtime, request)
    return runtime, planned


def user_flags_text() -> str | None:
    """Return THEANO_FLAGS as the user set it, whatever setup has written over it since."""
    current = os.environ.get(FLAGS)
    if _written is not None and current == _written[1]:
        return _written[0]
    return current


def written_flags() -> str | None:
    """Return THEANO_FLAGS as setup wrote it in this process, None if it did not."""
    return None if _written is None else _written[1]


@dataclasses.dataclass(frozen=True, slots=True)
class EffectiveFlags:
    """The flags in force and where each came from.

    ``live`` holds an already imported Theano's values by name; None when it is not imported.
    """

    settings: tuple[Setting, ...]
    notes: tuple[str, ...]
    live: dict[str, str] | None


def effective_flags(runtime: Runtime) -> EffectiveFlags:
    """Merge .theanorc, THEANO_FLAGS and what setup added, by Theano's precedence.

    Raises
    ------
    FlagsError
        If one of them cannot be parsed.
    """
    flags = Flags.from_theanorc(runtime.theanorc.value or {})
    flags = flags.merge(Flags.parse(user_flags_text() or ""))
    if _written is not None and os.environ.get(FLAGS) == _written[1]:
        known = {setting.name: setting.value for setting in flags.settings}
        added = Flags.parse(_written[1], origin="%theano setup")
        new = tuple(s for s in added.settings if known.get(s.name) != s.value)
        flags = flags.merge(Flags(new))
    _, notes = flags.translate()
    theano = live.imported()
    names = tuple(setting.name for setting in flags.settings)
    return EffectiveFlags(
        settings=flags.settings,
        notes=notes,
        live=None if theano is None else live.values(theano, names),
    )


def setup(
    request: Request,
    *,
    observe: Callable[[SetupState], None] = lambda _: None,
    dry_run: bool = False,
    in_this_process: bool = True,
) -> SetupState:
    """Make Theano work in this runtime and prove it; the answer is the last state observed.

    ``observe`` gets every state on the way. With ``in_this_process`` the flags are set and Theano
    is imported here (a notebook's kernel); without, only fresh processes are checked (a terminal).
    A setup that fails or is refused returns its state, it does not raise.

    Raises
    ------
    KeyboardInterrupt
        After the state says so; the next setup goes on where this one stopped.
    """
    runtime = facts()
    observe(SetupState(runtime_line(runtime), ()))
    runtime, planned = plan(request, runtime)
    progress = _begin(planned, runtime, observe)
    if planned.refusals:
        first = planned.refusals[0]
        return progress.end("refused", (first.cause, first.evidence, first.remedy))
    if dry_run:
        return progress.end("dry-run")
    try:
        _carry_out(planned, runtime, progress, in_this_process=in_this_process)
    except KeyboardInterrupt:
        progress.fail(
            "Setup was interrupted.",
            f"while: {progress.current}",
            "Run %theano setup again: it goes on where it stopped.",
        )
        raise
    except OSError as error:
        problem = from_os_error(error)
        return progress.fail(problem.cause, problem.evidence, problem.remedy)
    except TheanoColabError as error:
        return progress.fail(error.cause, error.evidence, error.remedy)
    return progress.state


def _begin(plan: Plan, runtime: Runtime, observe: Callable[[SetupState], None]) -> Progress:
    steps = tuple(StepState(s.title, s.why, "kept" if s.kept else "pending") for s in plan.steps)
    first = SetupState(
        runtime_line(runtime),
        steps,
        notes=plan.notes,
        flags=plan.flags,
        environment=plan.environment,
        theano=SPOKEN[plan.theano],
    )
    return Progress(first, [step.action for step in plan.steps], observe)


def _carry_out(plan: Plan, runtime: Runtime, progress: Progress, *, in_this_process: bool) -> None:
    from theano_colab.install import apply

    loaded = (runtime.loaded.value or {}).get("theano") if live.imported() else None
    apply(plan, on_step=progress.report)
    with progress.step("set-flags"):
        stuck = _set_flags(plan, progress) if in_this_process else ()
    with progress.step("warm"):
        found = _warm(plan, runtime, progress)
    progress.results(_results(found))
    installed = version(plan.theano)
    if loaded is not None and loaded != installed:
        progress.end("restart", _restart_for_version(loaded, installed))
        return
    if stuck:
        progress.end("restart", _restart_for_flags(stuck))
        return
    with progress.step("verify"):
        if in_this_process:
            found = _verify_here(progress)
            progress.results(_results(found))
        else:
            progress.detail("verify", "in the fresh process")
        _as_planned(found, plan)
    if any(step.library for step in plan.steps):
        with progress.step("check-libraries"):
            progress.results((*_results(found), *_check_libraries(plan, runtime, progress)))
    progress.end("ready")


def _set_flags(plan: Plan, progress: Progress) -> tuple[live.Difference, ...]:
    """Set THEANO_FLAGS, and live what a Theano imported before takes; return what it refuses."""
    global _written  # noqa: PLW0603  # one environment per process, so one memory of it
    original = user_flags_text()
    os.environ[FLAGS] = plan.flags
    os.environ.update(plan.environment)
    _written = (original, plan.flags)
    told = ((FLAGS, plan.flags), *plan.environment)
    progress.detail("set-flags", " ".join(f"{name}={value}" for name, value in told))
    theano = live.imported()
    if theano is None:
        live.forget_broken_import()
        return ()
    wanted = {s.name: s.value for s in Flags.parse(plan.flags).settings}
    outcomes = [live.set_live(theano, d) for d in live.differences(theano, wanted)]
    for outcome in outcomes:
        if outcome.error is None:
            progress.note(
                f"Theano was imported before its flags were set: {outcome.name} was "
                f"{outcome.live}; it is {outcome.wanted} from now on, for functions compiled "
                "from now on."
            )
    return tuple(outcome for outcome in outcomes if outcome.error is not None)


def _warm(plan: Plan, runtime: Runtime, progress: Progress) -> Verified:
    """Compile what every first import compiles and check it, in a fresh process.

    What was verified for the very same facts before is not compiled again.
    """
    from theano_colab.verify.fresh import run_fresh
    from theano_colab.verify.lock import remove_stale_locks

    if (before := verified.recall(plan, runtime)) is not None:
        progress.keep("warm", "verified before, nothing has changed since")
        return before
    base = Flags.parse(plan.flags).get("base_compiledir") or "~/.theano"
    for line in remove_stale_locks(Path(base).expanduser()):
        progress.note(line)
    found = run_fresh(
        plan.flags,
        on_line=lambda line: progress.detail("warm", line),
        force_device=plan.device != "cpu",
    )
    verified.remember(plan, runtime, found)
    return found


def _check_libraries(
    plan: Plan, runtime: Runtime, progress: Progress
) -> tuple[tuple[str, str], ...]:
    """Run the checks of the plan's libraries; return their names and what was found."""
    from theano_colab.verify import library

    results: list[tuple[str, str]] = []
    checked = False
    for release in [catalogue.find(step.library) for step in plan.steps if step.library]:
        found = verified.recall_library(plan, runtime, release)
        if found is None:
            checked = True
            progress.detail("check-libraries", release.spoken)
            found = library.check(
                release, plan.flags, lambda line: progress.detail("check-libraries", line)
            )
            verified.remember_library(plan, runtime, release, found)
        results.append((release.spoken, found))
    if not checked:
        progress.keep("check-libraries", "checked before, nothing has changed since")
    return tuple(results)


def _verify_here(progress: Progress) -> Verified:
    """Run the checks in this process; Theano's own failure keeps its type and text as evidence."""
    from theano_colab.verify import battery
    from theano_colab.verify.place import CheckFailed

    try:
        return battery.run(lambda step: progress.detail("verify", step))
    except CheckFailed as error:
        raise TheanoColabError(
            "Theano works in a fresh process, but gives a wrong result in this one.",
            str(error),
            "Restart the runtime, then run %theano setup before anything else.",
        ) from error
    except Exception as error:
        line = (str(error).strip().splitlines() or [""])[0]
        raise TheanoColabError(
            "Theano works in a fresh process, but not in this one.",
            f"{type(error).__name__}: {line}",
            "Restart the runtime, then run %theano setup before anything else.",
        ) from error


def _results(verified: Verified) -> tuple[tuple[str, str], ...]:
    return (
        ("Theano", verified.theano),
        ("NumPy", verified.numpy),
        ("Device", ": ".join(filter(None, (verified.device, verified.device_name)))),
        ("Backend", verified.backend),
        ("floatX", verified.float_x),
        *_arithmetic(verified),
        ("Compiler", verified.cxx or "none: Theano runs in Python, slowly"),
        ("Largest error against NumPy", f"{verified.max_error:.1e}"),
        ("import theano", f"{verified.import_seconds:.1f} s"),
    )


def _arithmetic(verified: Verified) -> tuple[tuple[str, str], ...]:
    """Return what computes the products: a BLAS, or XLA with a precision."""
    if verified.device == "cpu":
        return (("BLAS", verified.blas or "NumPy's own routines (slower)"),)
    words = {"float32": "float32", "tf32": "TF32: factors rounded to 10 bits on the tensor cores"}
    if not verified.precision:
        return ()
    return (("Products of float32", words[verified.precision]),)


def _as_planned(verified: Verified, plan: Plan) -> None:
    """Refuse a result that is right but was computed somewhere else than planned."""
    if verified.device != plan.device:
        raise TheanoColabError(
            f"Theano was planned to use {plan.device}, but uses {verified.device}.",
            f"theano.config.device is {verified.device}",
            "Run %theano flags to see where the device was set.",
        )


def _restart_for_flags(stuck: tuple[live.Difference, ...]) -> tuple[str, str, str]:
    return (
        "Theano was imported before its flags were set, and these cannot change any more: "
        + ", ".join(f"{d.name} (is {d.live}, wanted {d.wanted})" for d in stuck),
        f"Theano says: {stuck[0].error}",
        "Restart the runtime and run %theano setup before the first import theano.",
    )


def _restart_for_version(old: str, new: str) -> tuple[str, str, str]:
    return (
        f"This kernel has imported Theano {old}; {new} is installed now.",
        f"theano._version says {old} in this process",
        "Restart the runtime; then run %theano setup again.",
    )
