"""Stacks side by side: a table per package, and how much of what passes on the first passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from results import BAD, GOOD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from results import Result


def compare(stacks: Mapping[str, Mapping[str, Result]]) -> str:
    """Return a Markdown table of named stacks, the first of which is the standard.

    Under it, of each of the others: the share of what passes on the first that passes on it, and
    what does not. A test that was not run does not pass.
    """
    native, *others = stacks
    packages = sorted({one.package for found in stacks.values() for one in found.values()})
    lines = [
        f"| passed / failed / skipped | {' | '.join(stacks)} |",
        f"|---|{'--:|' * len(stacks)}",
        *(_row(package, stacks.values(), package) for package in packages),
        _row("all", stacks.values(), None),
    ]
    passed = sorted(test for test, one in stacks[native].items() if one.outcome in GOOD)
    for name in others:
        found = stacks[name]
        lost = [test for test in passed if test not in found or found[test].outcome not in GOOD]
        kept = len(passed) - len(lost)
        share = f"{100 * kept / len(passed):.2f}%" if passed else "none"
        lines += [
            "",
            f"Of {len(passed)} tests that pass on {native}, {kept} pass on {name}: {share}.",
        ]
        for test in lost:
            one = found.get(test)
            lines.append(f"- {test}: {f'{one.outcome}: {one.why}' if one else 'not run'}")
    return "\n".join(lines)


def _row(name: str, stacks: Iterable[Mapping[str, Result]], package: str | None) -> str:
    cells = []
    for results in stacks:
        outcomes = [
            one.outcome for one in results.values() if package is None or one.package == package
        ]
        # An expected failure is one of Theano's own: it says nothing about the stack.
        kinds = (GOOD, BAD, ("skipped", "xfailed"))
        cells.append(" / ".join(str(sum(one in kind for one in outcomes)) for kind in kinds))
    return f"| {name} | {' | '.join(cells)} |"
