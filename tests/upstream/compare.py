"""Two stacks side by side: a table per package, and how much of what passed on the first passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from results import BAD, GOOD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from results import Result


def compare(native: Mapping[str, Result], port: Mapping[str, Result]) -> str:
    """Return a Markdown table, the share of natively passing tests that pass, and the other ones.

    A test that passes natively and was not run on the port does not pass on the port.
    """
    packages = sorted({one.package for one in (*native.values(), *port.values())})
    lines = [
        "| package | native: passed | failed | skipped | port: passed | failed | skipped |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for package in packages:
        of_native = [one for one in native.values() if one.package == package]
        of_port = [one for one in port.values() if one.package == package]
        lines.append(_row(package, of_native, of_port))
    lines.append(_row("all", native.values(), port.values()))
    passed = sorted(test for test, one in native.items() if one.outcome in GOOD)
    lost = [test for test in passed if test not in port or port[test].outcome not in GOOD]
    kept = len(passed) - len(lost)
    share = f"{100 * kept / len(passed):.2f}%" if passed else "none"
    lines += ["", f"Of {len(passed)} tests that pass natively, {kept} pass on the port: {share}."]
    for test in lost:
        one = port.get(test)
        lines.append(f"- {test}: {f'{one.outcome}: {one.why}' if one else 'not run'}")
    return "\n".join(lines)


def _row(name: str, *stacks: Iterable[Result]) -> str:
    cells = []
    for results in stacks:
        outcomes = [one.outcome for one in results]
        # An expected failure is one of Theano's own: it says nothing about the stack.
        cells += [
            str(sum(outcome in kind for outcome in outcomes))
            for kind in (GOOD, BAD, ("skipped", "xfailed"))
        ]
    return f"| {name} | {' | '.join(cells)} |"
