"""``python -m theano_colab``: the commands of ``%theano`` in a terminal."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

from theano_colab import commands
from theano_colab.errors import TheanoColabError
from theano_colab.show import text

if TYPE_CHECKING:
    import argparse

    from theano_colab.progress import SetupState
    from theano_colab.show.panel import Panel

USAGE_ERROR = 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 when it succeeded, 1 when not, 2 for a command not understood."""
    parser = commands.parser("python -m theano_colab")
    try:
        options = parser.parse_args(arguments)
        if options.command is None:
            parser.print_help()
    except commands.HelpAsked as asked:
        print(asked, end="")
        return 0
    except TheanoColabError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    width = shutil.get_terminal_size().columns
    style = text.Style.of(sys.stdout, os.environ, width)
    try:
        return (_setup if options.command == "setup" else _run)(options, style)
    except TheanoColabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has gone; nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _setup(options: argparse.Namespace, style: text.Style) -> int:
    from theano_colab import actions, session
    from theano_colab.show.panel import Steps
    from theano_colab.show.setup_panel import describe_setup

    before: SetupState | None = None

    def show(state: SetupState) -> None:
        nonlocal before
        if not (options.quiet or options.json):
            for line in text.news(before, state, style):
                print(line, flush=True)
        before = state

    state = session.setup(
        actions.request(options), observe=show, dry_run=options.dry_run, in_this_process=False
    )
    if options.json:
        print(json.dumps(state.to_json(), indent=1))
    else:
        panel = describe_setup(state)
        said = not options.quiet  # the steps, each as it ended
        blocks = tuple(b for b in panel.blocks if not (said and isinstance(b, Steps)))
        print(text.write(dataclasses.replace(panel, blocks=blocks), style))
        if state.verdict == "ready":
            print("\nFor this shell:")
            for name, value in (("THEANO_FLAGS", state.flags), *state.environment):
                print(f"  export {name}={shlex.quote(value)}")
    return 0 if state.verdict in {"ready", "dry-run"} else 1


def _run(options: argparse.Namespace, style: text.Style) -> int:
    from theano_colab import actions

    def draw(panel: Panel, final: bool) -> None:  # actions.Draw
        if final and not options.json:
            print(text.write(panel, style))

    data = getattr(actions, options.command)(options, draw)
    if options.json:
        print(json.dumps(data, indent=1))
    return 1 if options.command == "doctor" and data["verdict"] == "error" else 0


if __name__ == "__main__":
    sys.exit(main())
