"""A run in a file: JSON, which is read again, and CSV, for a spreadsheet."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.bench.progress import Bench
from theano_colab.bench.results import Failure, Result
from theano_colab.errors import TheanoColabError

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("json", "csv", "html", "png")


def kind(path: str) -> str:
    """Return which of `KINDS` a file's name asks for.

    Raises
    ------
    TheanoColabError
        If it is none of them.
    """
    ending = Path(path).suffix.removeprefix(".").lower()
    if ending not in KINDS:
        raise TheanoColabError(
            "A benchmark cannot be saved like that.",
            f"--save {path}",
            f"Let the file's name end in one of .{', .'.join(KINDS)}",
        )
    return ending


def as_json(bench: Bench) -> str:
    """Return everything that `load` needs, as JSON."""
    return json.dumps(bench.to_json(), indent=1) + "\n"


def as_csv(bench: Bench) -> str:
    """Return one line for each row, with a header; times in seconds."""
    names = [field.name for field in dataclasses.fields(Result)]
    names += [f.name for f in dataclasses.fields(Failure) if f.name not in names]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for row in bench.rows:
        record = row.to_json()
        del record["row"]
        writer.writerow(record)
    return out.getvalue()


def write(path: str, content: str | bytes) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    TheanoColabError
        If it cannot be written.
    """
    file = Path(path).expanduser()
    part = file.with_name(f".{file.name}.part")
    data = content.encode() if isinstance(content, str) else content
    try:
        part.write_bytes(data)
        part.replace(file)
    except OSError as error:
        raise TheanoColabError(
            "The benchmark cannot be saved.",
            f"{path}: {error.strerror or error}",
            "Name a file in a folder that you may write to.",
        ) from None


def load(paths: Sequence[str]) -> list[Bench]:
    """Read runs; of several, each is labelled by its file's name.

    Raises
    ------
    TheanoColabError
        If one cannot be read or is no benchmark.
    """
    return [_read(path, Path(path).stem if len(paths) > 1 else "") for path in paths]


def _read(path: str, label: str) -> Bench:
    try:
        return Bench.from_json(json.loads(Path(path).expanduser().read_text("utf-8")), label)
    except OSError as error:
        evidence = f"{path}: {error.strerror or error}"
    except ValueError as error:
        evidence = f"{path}: {error}"
    remedy = "Name a file that %theano bench --save NAME.json has written."
    raise TheanoColabError("That benchmark cannot be read.", evidence, remedy)
