"""Generates the reference of the functions of expressions from their table."""

from __future__ import annotations

import json

from opentelemetry.instrumentation.declarative.expressions.function import Function
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS

_INTRODUCTION = """\
# Functions

The functions that an [expression](../language.md#expressions) can call, in alphabetical order. Arguments in brackets
can be left out, and `...` means that the last argument can be repeated. If the first argument is missing (`None`), the
result is `None`, or `False` if it is a boolean.
"""
_TYPES = {
    "boolean": "boolean",
    "int": "integer",
    "double": "float",
    "string": "text",
    "string[]": "list of texts",
    "any": "",
}


def page() -> str:
    """Return the page in Markdown."""
    return "\n".join([_INTRODUCTION, "| function | result | example |", "|---|---|---|", *map(_row, FUNCTIONS)]) + "\n"


def _row(name: str) -> str:
    function = FUNCTIONS[name]
    kind = _TYPES[function.result]
    description = f"{kind}: {_lower_first(function.description)}" if kind else function.description
    cells = (f"`{function.signature(name)}`", description, _example(function))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _example(function: Function) -> str:
    call, value = function.example
    return f"`{call}`" if function.varies else f"`{call}` is `{_written(value)}`"


def _written(value: object) -> str:
    return str(value) if isinstance(value, (bool, int, float)) else json.dumps(value)
