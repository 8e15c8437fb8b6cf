"""``%theano`` in IPython: parse, call, show. No logic."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from theano_colab import commands
from theano_colab.canvas import Canvas
from theano_colab.doctor import explainer
from theano_colab.errors import TheanoColabError
from theano_colab.show.small_panels import commands_panel

if TYPE_CHECKING:
    import argparse

    from IPython.core.interactiveshell import InteractiveShell

    from theano_colab.progress import SetupState
    from theano_colab.show.panel import Panel

# IPython would look for an object called "setup" in "%theano setup?".
_QUESTION = re.compile(r"^(\s*%theano\s+[^?\n]*?)\s*\?{1,2}\s*$")


@magics_class
class TheanoMagics(Magics):  # type: ignore[misc]  # IPython's class is untyped
    """The ``%theano`` magic."""

    @line_cell_magic  # type: ignore[untyped-decorator]  # IPython's decorator is untyped
    def theano(self, line: str, cell: str | None = None) -> None:
        """Theano on Colab and Jupyter.

        %theano setup    install Theano here, set its flags, prove that it works
        %theano info     what this runtime is: Python, NumPy, compiler, BLAS, GPU, CUDA
        %theano plan     what setup would do, and why; changes nothing
        %theano flags    the effective THEANO_FLAGS and where each came from
        %theano doctor   what is wrong here and what to do about it
        %theano report   one text for a bug report, with nothing private in it
        %theano bench    how fast Theano is here: CPU against GPU, live
        %theano dashboard  the same with controls

        %%theano bench, over a cell that makes f = theano.function(...) and args = [...],
        measures that function on both devices.

        %theano COMMAND? tells a command's options.
        """
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise TheanoColabError(
                "That command cannot be read.", f"{error}: {line}", "Close the quote."
            ) from None
        if not words:
            listed = [(f"%theano {name}", text) for name, text in commands.COMMANDS.items()]
            Canvas().draw(lambda: dict(commands_panel(listed)), final=True)
            return
        try:
            options = commands.parser("%theano").parse_args(words)
        except commands.HelpAsked as asked:
            print(asked, end="")  # noqa: T201  # help is text
            return
        if cell is not None:
            _put_cell(options, cell)
        if options.command == "setup":
            _setup(options)
        elif options.command == "dashboard":
            from theano_colab.dashboard import Dashboard

            Dashboard().show()
        else:
            _run(options)


def _setup(options: argparse.Namespace) -> None:
    from theano_colab import actions, session
    from theano_colab.show.restart import restart_button_bundle
    from theano_colab.show.setup_panel import setup_panel

    canvas = Canvas()

    def show(state: SetupState) -> None:
        ended = state.verdict != "running"
        if ended or not options.quiet:
            canvas.draw(lambda: dict(setup_panel(state)), final=ended)

    state = session.setup(
        actions.request(options),
        observe=(lambda _: None) if options.json else show,
        dry_run=options.dry_run,
    )
    if options.json:
        _print_json(state.to_json())
    if state.verdict == "restart":
        display(restart_button_bundle(["theano"]), raw=True)
    if state.problem is not None:
        # The cell fails, so that "Run all" stops here and not at a puzzling import error.
        raise TheanoColabError(*state.problem)


def _run(options: argparse.Namespace) -> None:
    from theano_colab import actions

    canvas = Canvas()

    def draw(panel: Panel, final: bool) -> None:  # actions.Draw
        if not options.json:
            canvas.draw(lambda: _write(panel), final=final)

    data = getattr(actions, options.command)(options, draw)
    if options.json:
        _print_json(data)


def _write(panel: Panel) -> dict[str, Any]:
    from theano_colab.show.bench_panel import bench_bundle

    return bench_bundle(panel)


def _put_cell(options: argparse.Namespace, cell: str) -> None:
    """Give the cell's code to bench; no other command has any use for it."""
    if options.command != "bench":
        raise TheanoColabError(
            "Only bench takes a cell.",
            f"%%theano {options.command}",
            f"Write %theano {options.command}, with one %.",
        )
    options.code = cell


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=1))  # noqa: T201  # the user asked for it


def _question_to_help(lines: list[str]) -> list[str]:
    """Turn ``%theano setup?`` into ``%theano setup --help`` before IPython reads the "?"."""
    return [_QUESTION.sub(r"\1 --help", line.rstrip("\n")) + "\n" for line in lines]


def _complete(_: InteractiveShell, event: Any) -> list[str]:  # noqa: ANN401  # IPython's namespace
    """Answer IPython's completer: ``event.text_until_cursor`` begins with "%theano "."""
    text = event.text_until_cursor.lstrip()
    return commands.complete(text.removeprefix("%theano").removeprefix(" "))


def register(shell: InteractiveShell) -> None:
    """Add the magic, its completion and "?" help, and what stands under cells that need a word."""
    shell.register_magics(TheanoMagics)
    shell.set_hook("complete_command", _complete, str_key="%theano")
    explainer.register(shell)
    if _question_to_help not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_question_to_help)


def unregister(shell: InteractiveShell) -> None:
    """Take them away again."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("theano", None)
    explainer.unregister(shell)
    if _question_to_help in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(_question_to_help)
