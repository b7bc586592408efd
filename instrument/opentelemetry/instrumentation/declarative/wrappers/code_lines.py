"""Lines of generated source."""

from __future__ import annotations

from collections.abc import Iterable

Lines = list[str]


def indented(lines: Iterable[str]) -> Lines:
    return [f"    {line}" for line in lines]
