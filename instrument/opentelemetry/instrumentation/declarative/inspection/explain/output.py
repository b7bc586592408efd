"""What is told, as a tree of lines, each with the place that it comes from; and how that is shown."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.resources import directory

#: Where the places stand, beside the words.
_COLUMN = 88


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is told, where it stands in a spec, and what belongs to it."""

    text: str
    mark: Mark | None = None
    below: tuple[Line, ...] = ()


def place(mark: Mark) -> str:
    """A place as it is shown: what is shipped by its name, everything else by its path."""
    return f"{file_shown(mark.file)}:{mark.line}"


def file_shown(file: str) -> str:
    """A file as it is shown."""
    shipped = os.path.dirname(file) == str(directory("configs"))
    return os.path.basename(file) if shipped else file


def as_text(lines: Iterable[Line], indent: int = 0) -> Iterator[str]:
    """The lines with their places beside them, what belongs to a line indented under it."""
    for line in lines:
        # Only at spaces: a path, or an expression without any, can be copied as it stands.
        words = textwrap.wrap(
            line.text, _COLUMN - 2 * indent, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
        first, *rest = ("  " * indent + part for part in words or [""])
        yield first if line.mark is None else f"{first:<{_COLUMN}}  {place(line.mark)}"
        yield from rest
        yield from as_text(line.below, indent + 1)


def problem_data(problem: Problem) -> dict[str, Any]:
    """A problem, for a program."""
    return {
        "file": problem.mark.file,
        "line": problem.mark.line,
        "column": problem.mark.column,
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
    }


def as_data(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The same for a program."""
    return [
        {
            "text": line.text,
            **({} if line.mark is None else {"file": line.mark.file, "line": line.mark.line}),
            **({"below": as_data(line.below)} if line.below else {}),
        }
        for line in lines
    ]
