"""The source of the parameters of a function."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

_KINDS = inspect.Parameter


def header_source(parameters: Iterable[inspect.Parameter]) -> str:
    """The source of parameters. Defaults are written as `...`; the function gets the real ones afterwards."""
    parts: list[str] = []
    previous = None
    for parameter in parameters:
        kind = parameter.kind
        if previous is _KINDS.POSITIONAL_ONLY and kind is not _KINDS.POSITIONAL_ONLY:
            parts.append("/")
        if kind is _KINDS.KEYWORD_ONLY and previous not in (_KINDS.KEYWORD_ONLY, _KINDS.VAR_POSITIONAL):
            parts.append("*")
        star = "*" if kind is _KINDS.VAR_POSITIONAL else "**" if kind is _KINDS.VAR_KEYWORD else ""
        default = "" if parameter.default is _KINDS.empty else "=..."
        parts.append(f"{star}{parameter.name}{default}")
        previous = kind
    if previous is _KINDS.POSITIONAL_ONLY:
        parts.append("/")
    return ", ".join(parts)
