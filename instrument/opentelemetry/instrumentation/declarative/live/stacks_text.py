"""The stacks of a process as text, with the lines of its source."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import counted, printable
from opentelemetry.instrumentation.declarative.exporters.tree_text import shortened

#: How many of the innermost calls of a stack are shown, and how many stacks.
_SHOWN_CALLS, _SHOWN_STACKS = 5, 30
_MAX_SOURCE = 80


def stacks_text(stacks: list[dict[str, Any]]) -> str:
    """The stacks, those with the most calls first; equal ones together. The innermost call is the last line of each."""
    groups: dict[tuple[tuple[str, int, str], ...], list[str]] = {}
    for stack in sorted(stacks, key=lambda stack: -len(stack["calls"])):
        calls = tuple((call["file"], call["line"], call["function"]) for call in stack["calls"])
        groups.setdefault(calls, []).append(printable(stack["name"]))
    lines = [line for calls, names in [*groups.items()][:_SHOWN_STACKS] for line in _stack(calls, names)]
    left_out = len(groups) - _SHOWN_STACKS
    lines += [f"{counted(left_out, 'more stack')} with fewer calls"] * (left_out > 0)
    return "".join(f"{line}\n" for line in lines)


def _stack(calls: tuple[tuple[str, int, str], ...], names: list[str]) -> Iterator[str]:
    yield names[0] + (f" and {counted(len(names) - 1, 'other')} at the same place" if len(names) > 1 else "")
    for file, line, function in calls[-_SHOWN_CALLS:]:
        place = f"{'/'.join(Path(file).parts[-2:])}:{line}"
        source = linecache.getline(file, line).strip()
        yield f"  {printable(place)} {printable(function)}" + (
            f": {printable(shortened(source, _MAX_SOURCE))}" if source else ""
        )
