"""The commands and their options, the same for ``%theano`` and ``python -m theano_colab``."""

from __future__ import annotations

import argparse
import difflib
from typing import NoReturn

from theano_colab.errors import TheanoColabError
from theano_colab.libraries.catalogue import libraries

COMMANDS = {
    "setup": "install Theano here, set its flags, prove that it works",
    "info": "what this runtime is: Python, NumPy, compiler, BLAS, GPU, CUDA",
    "plan": "what setup would do, and why; changes nothing",
    "flags": "the effective THEANO_FLAGS and where each came from",
    "doctor": "what is wrong here and what to do about it: conflicts, live checks",
    "report": "one text for a bug report: versions, hardware, flags; nothing private",
    "bench": "how fast Theano is here: CPU against GPU, live",
    "dashboard": "the same in a notebook, with controls",
}

DEVICES = ("auto", "cpu", "cuda", "cuda0", "cuda1", "xla")
FLOAT_X = ("float16", "float32", "float64")
PRECISIONS = ("float32", "tf32")
WORKLOADS = ("dot", "elemwise", "softmax", "logreg", "mlp", "lenet", "lstm", "mrg")
PEERS = ("jax", "torch")


class HelpAsked(Exception):  # noqa: N818  # not an error: the user asked
    """The user asked for help; the text is the argument."""


class _Parser(argparse.ArgumentParser):
    """A parser that neither prints nor exits, since it also serves a notebook."""

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise TheanoColabError(
            "That command cannot be read.",
            message.removeprefix("argument COMMAND: ") + _suggestion(message),
            f"Write it as: {usage}",
        )

    def print_help(self, file: object = None) -> NoReturn:  # noqa: ARG002  # its signature
        raise HelpAsked(self.format_help())


def parser(program: str) -> argparse.ArgumentParser:
    """Return the parser; ``program`` is what the user typed: "%theano"."""
    main = _Parser(prog=program, description="Theano on Colab and Jupyter.", allow_abbrev=False)
    commands = main.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    added = {
        name: commands.add_parser(name, help=text, description=f"{text}.", allow_abbrev=False)
        for name, text in COMMANDS.items()
    }
    for name in ("setup", "plan"):
        added[name].add_argument(
            "--device", default="auto", help="auto, cpu, cuda, cuda0, cuda1 ... or xla"
        )
        added[name].add_argument("--floatX", choices=FLOAT_X, help="Theano's default float type")
        added[name].add_argument(
            "--precision",
            choices=PRECISIONS,
            help="of float32 products on a GPU: tf32 is faster and rounds factors to 10 bits",
        )
        added[name].add_argument(
            "--with",
            dest="libraries",
            default=(),
            type=_names,
            metavar="NAME[,NAME...]",
            help=f"also install {', '.join(libraries())}; NAME==VERSION for one of its versions",
        )
    added["setup"].add_argument("--dry-run", action="store_true", help="stop after the plan")
    added["setup"].add_argument("-q", "--quiet", action="store_true", help="show the result only")
    info = added["info"].add_mutually_exclusive_group()
    info.add_argument("--record", metavar="FILE", help="also write the facts to a file")
    info.add_argument("--replay", metavar="FILE", help="show the facts that a file has recorded")
    doctor = added["doctor"].add_mutually_exclusive_group()
    doctor.add_argument(
        "--fix", action="store_true", help="remove stale locks and what an interrupted setup left"
    )
    doctor.add_argument("--replay", metavar="FILE", help="the conflicts of a recorded runtime")
    _bench_options(added["bench"])
    for command in added.values():
        command.add_argument("--json", action="store_true", help="print the data as JSON")
    return main


def _names(text: str) -> tuple[str, ...]:
    """Read what stands after --with."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _bench_options(bench: argparse.ArgumentParser) -> None:
    bench.set_defaults(code="")
    bench.add_argument("workload", nargs="*", help=f"{', '.join(WORKLOADS)} (default: all of them)")
    bench.add_argument("--sizes", help="256,512,1000, or 64..4096, which doubles")
    bench.add_argument(
        "--devices", help="cpu,cuda,xla (default: cpu, and the GPU or else XLA on the CPU)"
    )
    bench.add_argument(
        "--floatX", choices=("float32", "float64"), default="float32", help="default: float32"
    )
    bench.add_argument(
        "--time", type=float, default=20.0, help="seconds of measuring a workload (default 20)"
    )
    bench.add_argument("--batch", type=int, help="examples in a minibatch, for mlp and lstm")
    bench.add_argument("--quick", action="store_true", help="a few sizes, within 30 seconds")
    bench.add_argument("--peers", help=f"measure beside Theano: {','.join(PEERS)}")
    bench.add_argument(
        "--y", choices=("time", "gflops", "gbytes"), default="time", help="what the chart shows"
    )
    bench.add_argument(
        "--save", metavar="FILE", nargs="+", action="extend", help="NAME.json, .csv, .html or .png"
    )
    bench.add_argument(
        "--load", metavar="FILE", nargs="+", action="extend", help="show saved runs in one chart"
    )


def complete(line: str) -> list[str]:
    """Return what may follow in ``line``, the text after "%theano " up to the cursor."""
    words = line.split()
    if not line or line[-1].isspace():
        words.append("")
    *before, current = words
    if not before:
        return [name for name in COMMANDS if name.startswith(current)]
    choices: tuple[str, ...] = {
        "--device": DEVICES,
        "--floatX": FLOAT_X,
        "--precision": PRECISIONS,
        "--with": _named_after(current),
    }.get(before[-1], ())
    if not choices:
        choices = _options(before[0])
        if before[0] == "bench" and not current.startswith("-"):
            choices = (*WORKLOADS, *choices)
    return [c for c in choices if c.startswith(current) and c not in before]


def _named_after(current: str) -> tuple[str, ...]:
    """Return the names of libraries, each after those that stand before the last comma."""
    before, comma, _ = current.rpartition(",")
    named = before.split(",")
    return tuple(f"{before}{comma}{name}" for name in libraries() if name not in named)


def _options(command: str) -> tuple[str, ...]:
    """Return the long options of a command, read from the parser itself."""
    actions = parser("")._subparsers  # noqa: SLF001  # argparse offers no public way to list them
    if actions is None or command not in COMMANDS:
        return ()
    sub = actions._group_actions[0].choices  # noqa: SLF001  # as above
    assert isinstance(sub, dict)  # noqa: S101  # add_subparsers makes a dict of parsers
    strings = sub[command]._option_string_actions  # noqa: SLF001  # as above
    return tuple(name for name in strings if name.startswith("--"))


def _suggestion(message: str) -> str:
    """Name the command that an unknown one resembles."""
    if "invalid choice: " not in message:
        return ""
    given = message.split("invalid choice: ", 1)[1].split(" ", 1)[0].strip("'\"")
    close = difflib.get_close_matches(given, [*COMMANDS, *FLOAT_X, *PRECISIONS], n=1)
    return f" (did you mean {close[0]}?)" if close else ""
