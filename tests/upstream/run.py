"""Run Theano's own tests on a stack: on the port, or on the stack that Theano was published for.

    python tests/upstream/run.py                          all of them, on the newest Colab pin set
    python tests/upstream/run.py tensor/tests/test_sort.py scan_module
    python tests/upstream/run.py --stack native --write tests/upstream/results/native.tsv
    python tests/upstream/run.py --compare native.tsv port.tsv ...

What is finished is not run again, so a run that was interrupted goes on where it was. The exit
status is 1 if a test fails that is not in expected/STACK.toml, or passes that is.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE), str(REPOSITORY / "scripts"), str(REPOSITORY)]

import child  # noqa: E402  # after the path
import compare  # noqa: E402  # likewise
import results  # noqa: E402  # likewise
import stacks  # noqa: E402  # likewise
import units  # noqa: E402  # likewise


class Run:
    """One run: units on some workers, what comes of them into the stack's log."""

    def __init__(self, stack: stacks.Stack, log: results.Log, limit: float, scratch: Path) -> None:
        self.stack, self.log, self.limit, self.scratch = stack, log, limit, scratch
        self.stopped = False
        self._lock = threading.Lock()  # of the log
        self._environment = stack.with_headers()

    def work(self, todo: list[units.Unit], again: dict[str, set[str]], workers: int) -> None:
        """Run the units; ``again`` has what is to be run anew although it has an outcome."""
        with ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(self._unit, unit, again) for unit in todo]:
                future.result()

    def stop(self, *_: object) -> None:
        """End the run now; what is not finished has no outcome."""
        self.stopped = True
        child.kill_all()

    def _unit(self, unit: units.Unit, again: dict[str, set[str]]) -> None:
        if self.stopped:
            return
        logs = self.stack.folder / "logs"
        logs.mkdir(exist_ok=True)
        log = logs / f"{unit.name.replace('/', '.')}.txt"
        with self._lock:
            done = frozenset(self.log.results) - again.get(unit.name, set())
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            job = child.Job(
                self.stack, self._environment, unit, done, self.limit, log, Path(scratch)
            )
            for event in child.run_unit(job):
                if self.stopped:
                    return
                self._take(unit, event)

    def _take(self, unit: units.Unit, event: dict) -> None:
        if "start" in event:
            return
        with self._lock:
            self.log.add(unit=unit.name, build=self.stack.build, **event)
        if event.get("outcome") in results.BAD:
            _say(f"{event['outcome']:<8}{event['test']}: {event['why']}")
        elif "finished" in event:
            _say(f"{'done':<8}{unit.name} in {event['finished']:.0f} s")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.compare:
        print(compare.compare({file.stem: results.read_table(file) for file in options.compare}))
        return 0
    try:
        # Before the stack is made: a port of other rules would replace the one under test.
        with stacks.locked(options.cache / _name(options)):
            return _run(_stack(options), options)
    except LookupError as error:
        parser.error(str(error.args[0]))
    except BlockingIOError:
        parser.error(f"another run uses {options.cache}; wait, or give another --cache")


def _run(stack: stacks.Stack, options: argparse.Namespace) -> int:
    wanted = [*options.files, *(units.read_list(HERE / "part.txt") if options.part else ())]
    chosen = units.find_units(stack.root, wanted, gpuarray=stack.xla)
    log = results.Log(stack.results)
    again = _again(chosen, log, options)
    todo = [unit for unit in chosen if unit.name not in log.finished or unit.name in again]
    versions = ", ".join(f"{name} {version}" for name, version in stack.versions().items())
    _say(f"{stack.name} ({stack.build}): {versions}")
    _say(f"{len(chosen)} units, {len(todo)} to run, {options.workers} at a time")
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(stack, log, options.limit, Path(scratch))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, run.stop)
        run.work(todo, again, options.workers)
    ids = {test for unit in chosen for test in log.collected.get(unit.name, [unit.target])}
    ids |= {unit.target for unit in chosen}
    judged = [one for test, one in log.results.items() if test in ids]
    print(f"\n{results.per_file(judged)}" if judged else "\nno results")
    if stack.xla:
        print(f"\n{results.on_xla(judged)}")
    if options.write:
        code = "compiled without optimization" if stack.quick else "compiled as Theano does"
        about = f"{stack.name}: {versions}; {os.uname().machine}; {code}"
        results.write_table(options.write, judged, about)
    old = sum(one.build != stack.build for one in judged)
    if old:
        print(f"\n{old} of these results are of an older build; --again runs them anew")
    expected = results.read_expected(options.expected / f"{stack.name}.toml")
    lines = results.surprises(judged, expected)
    print(f"\nnot as expected: {len(lines)}", *lines, sep="\n")
    if run.stopped:
        print("\nstopped; the same command goes on")
    return 1 if lines or run.stopped else 0


def _again(
    chosen: list[units.Unit], log: results.Log, options: argparse.Namespace
) -> dict[str, set[str]]:
    """Return the tests to run anew, by unit: all of them, those that failed, or none."""
    again = {}
    for unit in chosen:
        ids = {*log.collected.get(unit.name, ()), unit.target}
        if options.failed:
            ids = {i for i in ids if i in log.results and log.results[i].outcome in results.BAD}
        elif not options.again:
            continue
        if ids:
            again[unit.name] = ids
    return again


def _name(options: argparse.Namespace) -> str:
    import envs

    if options.xla:
        return f"xla-{envs.xla_pins(options.stack).name}"
    return options.stack or ("there" if options.python else envs.colab_like().name)


def _stack(options: argparse.Namespace) -> stacks.Stack:
    name, cache = _name(options), options.cache.resolve()
    if options.python:
        return stacks.there(name, options.python, options.root, cache)
    if options.xla:
        stack = stacks.xla(name.removeprefix("xla-"), cache)
    else:
        stack = stacks.native(cache) if name == stacks.NATIVE else stacks.port(name, cache)
    return dataclasses.replace(stack, quick=options.quick)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("files", nargs="*", help="test files, folders, patterns, node ids; all if none")
    add("--stack", help="native, or a pin set of tests/kernel/pins; else Colab's newest")
    add("--xla", action="store_true", help="with the XLA backend in the default mode")
    add("--python", type=Path, help="a Python with pytest, instead of an environment made here")
    add("--root", type=Path, help="with --python: the folder that holds theano/")
    add("--cache", type=Path, default=REPOSITORY / ".cache/upstream", help="where all is kept")
    add("--expected", type=Path, default=HERE / "expected", help="folder of STACK.toml")
    add("--part", action="store_true", help="the representative part, listed in part.txt")
    add("--again", action="store_true", help="run what is finished, too")
    add("--failed", action="store_true", help="run what failed once more")
    add("--quick", action="store_true", help="compile C code without optimization")
    add("--limit", type=float, default=1800, metavar="S", help="of one test, in seconds (1800)")
    add("--workers", type=int, default=2, help="how many processes of pytest at a time (2)")
    add("--write", type=Path, metavar="TSV", help="write the results as data")
    add("--compare", type=Path, nargs="+", metavar="TSV", help="compare such files with the first")
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
