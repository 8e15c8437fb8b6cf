"""Outcomes by test id: appended while a run goes on, written as data for the repository, judged.

Outcomes are pytest's words (passed, failed, error, skipped, xfailed, xpassed), and "timeout" and
"crashed" for a test whose process was killed or died.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

BAD = ("failed", "error", "timeout", "crashed")
GOOD = ("passed", "xpassed")
XLA_COUNTS = ("nodes", "host", "replays", "looked")  # see on_xla.py


@dataclass(frozen=True, slots=True)
class Result:
    """How one test ended, in which unit and on which build of the stack."""

    test: str
    outcome: str
    seconds: float
    why: str = ""
    unit: str = ""
    build: str = ""
    xla: dict | None = None  # see on_xla.py

    @property
    def file(self) -> str:
        """The test's file."""
        return self.test.partition("::")[0]

    @property
    def package(self) -> str:
        """The package whose tests it is one of."""
        return self.file.rpartition("/")[0].removesuffix("/tests").replace("/", ".")


class Log:
    """The file of one stack: a line for each test that ended and for each unit that did."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.results: dict[str, Result] = {}
        self.collected: dict[str, list[str]] = {}
        self.finished: set[str] = set()
        for line in file.read_text("utf-8").split("\n") if file.exists() else ():
            # Half a line is the last of a run that was killed; the first line is empty.
            with contextlib.suppress(ValueError):
                self._take(json.loads(line))

    def add(self, **entry: object) -> None:
        """Write an entry, and take it in."""
        with self.file.open("a", encoding="utf-8") as stream:
            # Begins a line of its own even after half a line of a run that was killed.
            stream.write(f"\n{json.dumps(entry)}")
        self._take(entry)

    def _take(self, entry: dict) -> None:
        if "test" in entry:
            self.results[entry["test"]] = Result(**entry)
        elif "collected" in entry:
            self.collected[entry["unit"]] = entry["collected"]
            target = entry["unit"].rpartition("[")[0]
            # It could be imported, whatever an earlier run said; but a test may be a whole unit.
            if entry["collected"] and target not in entry["collected"]:
                self.results.pop(target, None)
        elif "finished" in entry:
            self.finished.add(entry["unit"])


def write_table(file: Path, results: Iterable[Result], about: str) -> None:
    """Write results as data: ``about`` in the first line, then id, outcome, seconds and why.

    Results of the XLA backend end with what on_xla.py counted: nodes in clusters, nodes on the
    host, calls left to the host, functions whose graph the test looked at.
    """
    day = dt.datetime.now(dt.UTC).date().isoformat()
    lines = [f"# {about}; {day}\n# test\toutcome\tseconds\twhy\n"]
    for one in sorted(results, key=lambda result: result.test):
        # Folders are this machine's.
        why = re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+", "", one.why.replace("\t", " "))
        counts = "".join(f"\t{count}" for count in (one.xla or {}).values())
        lines.append(f"{one.test}\t{one.outcome}\t{one.seconds:.2f}\t{why}{counts}\n")
    file.write_text("".join(lines), "utf-8")


def read_table(file: Path) -> dict[str, Result]:
    """Return the results by test id, of a file from ``write_table`` or of a stack's log."""
    if file.suffix == ".jsonl":
        return Log(file).results
    found = {}
    for line in file.read_text("utf-8").split("\n"):
        if line and not line.startswith("#"):
            test, outcome, seconds, why, *counts = line.split("\t")
            xla = dict(zip(XLA_COUNTS, map(int, counts), strict=False)) or None
            found[test] = Result(test, outcome, float(seconds), why, xla=xla)
    return found


def read_expected(file: Path) -> dict[str, str]:
    """Return the tests that are known to fail and the reason of each; none if there is no file.

    A file may name another stack with ``as``: what fails there fails here, too.
    """
    if not file.exists():
        return {}
    told = tomllib.loads(file.read_text("utf-8"))
    there = read_expected(file.with_name(f"{told['as']}.toml")) if "as" in told else {}
    return there | told["fails"]


def surprises(results: Iterable[Result], expected: Mapping[str, str]) -> list[str]:
    """Return a line for every test that fails and should not, or should and does not."""
    lines = []
    for one in results:
        if one.outcome in BAD and one.test not in expected:
            lines.append(f"{one.outcome}\t{one.test}\t{one.why}")
        elif one.outcome in GOOD and one.test in expected:
            lines.append(f"{one.outcome}\t{one.test}\texpected to fail: {expected[one.test]}")
    return sorted(lines)


def on_xla(results: Iterable[Result]) -> str:
    """Return what the XLA backend had to do with the tests that passed."""
    good = [one.xla for one in results if one.outcome in GOOD and one.xla]
    of = {name: sum(bool(one[name]) for one in good) for name in XLA_COUNTS}
    sums = {name: sum(one[name] for one in good if one["nodes"]) for name in XLA_COUNTS}
    return (
        f"{of['nodes']} of {len(good)} tests that passed ran on XLA: {sums['nodes']} nodes, beside "
        f"{sums['host']} on the host; {of['replays']} had calls that were left to the host, "
        f"{of['looked']} looked at a graph and were shown the one without XLA"
    )


def per_file(results: Iterable[Result]) -> str:
    """Return a table: of each file how many tests ended how, and their seconds."""
    counts: dict[str, Counter] = {}
    for one in results:
        count = counts.setdefault(one.file, Counter())
        count["failed" if one.outcome in BAD else one.outcome] += 1
        count["seconds"] += one.seconds
    columns = ("passed", "failed", "skipped", "xfailed", "xpassed")
    total = sum(counts.values(), Counter())
    rows = [*sorted(counts.items()), ("all", total)]
    width = max(len(name) for name, _ in rows)
    lines = [f"{'file':<{width}}" + "".join(f"{column:>9}" for column in (*columns, "seconds"))]
    for name, count in rows:
        numbers = "".join(f"{count[column]:>9}" for column in columns)
        lines.append(f"{name:<{width}}{numbers}{count['seconds']:>9.0f}")
    return "\n".join(lines)
