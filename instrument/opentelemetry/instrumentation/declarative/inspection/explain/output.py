"""The output of ``explain``: a tree of lines, each with the location it comes from, as text or as data."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry
from opentelemetry.instrumentation.declarative.language.resources import directory

#: The keys of a registry.
Described = Literal["spans", "events", "attributes", "links"]
#: The column of the locations.
_COLUMN = 88


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One statement, its location in a spec, and the lines below it."""

    text: str
    mark: Mark | None = None
    below: tuple[OutputLine, ...] = ()
    #: What it is about, if a registry can describe that: the key of the registry, and the name below it.
    subject: tuple[Described, str] | None = None


def with_descriptions(line: OutputLine, registry: Registry) -> OutputLine:
    """A line and those below it, each with the description of its subject as the first line below."""
    kind, name = line.subject or ("attributes", "")
    description = getattr(registry, kind).get(name)
    below = (with_descriptions(each, registry) for each in line.below)
    return replace(line, below=(*([OutputLine(description)] if description else []), *below))


def location(mark: Mark) -> str:
    """Return a location as shown to users."""
    return f"{file_name(mark.file)}:{mark.line}"


def file_name(file: str) -> str:
    """Return a file as shown to users: a shipped spec by its name, any other by its path."""
    shipped = os.path.dirname(file) == str(directory("configs"))
    return os.path.basename(file) if shipped else file


def text_lines(lines: Iterable[OutputLine], indent: int = 0) -> Iterator[str]:
    """The lines with their locations beside them, indented by their level."""
    for line in lines:
        # Break at spaces only, so that paths and expressions can be copied.
        texts = textwrap.wrap(
            line.text, _COLUMN - 2 * indent, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
        first, *rest = ("  " * indent + text for text in texts or [""])
        yield first if line.mark is None else f"{first:<{_COLUMN}}  {location(line.mark)}"
        yield from rest
        yield from text_lines(line.below, indent + 1)


def line_data(lines: Iterable[OutputLine]) -> list[dict[str, Any]]:
    """Return the lines as data for JSON."""
    return [
        {
            "text": line.text,
            **({} if line.mark is None else {"file": line.mark.file, "line": line.mark.line}),
            **({"below": line_data(line.below)} if line.below else {}),
        }
        for line in lines
    ]


def problem_data(problem: Problem) -> dict[str, Any]:
    """Return a problem as data for JSON."""
    return {
        "file": problem.mark.file,
        "line": problem.mark.line,
        "column": problem.mark.column,
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
    }
