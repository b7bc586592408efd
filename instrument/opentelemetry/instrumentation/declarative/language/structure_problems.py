"""The wording of problems in the structure of a document: wrong keys, types and values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import quoted
from opentelemetry.instrumentation.declarative.language.document import KeyPath

#: Text that YAML does not read as the same text without quotes.
_NEEDS_QUOTES = re.compile(
    r"[\"'{}\[\],#]|:( |$)|^[>|&*!%@`-]|^(true|false|null|yes|no|on|off|~|[-+.\d][-+.\d_eE]*)$", re.I
)
_QUOTE = 'text that starts with "{" or "[" needs quotes'


def subject_of(path: KeyPath) -> str:
    """The start of a sentence about the value at a path."""
    if not path:
        return "the file"
    if isinstance(path[-1], int):
        owner = next((step for step in reversed(path) if isinstance(step, str)), "the list")
        return f"item {path[-1] + 1} of {quoted(owner)}"
    return quoted(path[-1])


def with_article(title: str) -> str:
    """A noun phrase with the indefinite article, if it is singular."""
    if re.fullmatch(r"\w+|\w+ \w+", title) and re.search(r"[^su]s$", title):
        return title
    return f"{'an' if re.match('[aeio]|u(?!ni)', title) else 'a'} {title}"


def alternatives(words: Iterable[str], quote: str = '"') -> str:
    """Words as alternatives: ``"a", "b" or "c"``."""
    listed = [f"{quote}{word}{quote}" for word in words]
    return " or ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)


def value_phrase(value: Any) -> str:
    """A value of a document in a sentence that says what it should be instead."""
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the number {value}"


def example_help(key: str | None, examples: Iterable[Any]) -> str | None:
    """The help that shows an example; None if there is none."""
    example = next(iter(examples), None)
    return None if example is None else f"for example {key + ': ' if key else ''}{flow_style(example)}"


def quoting_help(value: Any, *, on_line_of_key: bool) -> str | None:
    """How to write a value that should be text; None if quotes are not what is missing."""
    if isinstance(value, bool):
        return f'write "{value}" in quotes for an expression, "{str(value).lower()}" for a word'
    if isinstance(value, int | float):
        return f'write it in quotes: "{value}"'
    # In brackets: a block starts on its own line.
    return _QUOTE if isinstance(value, dict | list) and on_line_of_key else None


def flow_style(value: Any) -> str:
    """A value in YAML's flow style, good enough for an example."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow_style(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_style, value)) + "]"
    if isinstance(value, str):
        if not re.search(_NEEDS_QUOTES, value):
            return value
        if '"' in value and value.isprintable():
            return "'{}'".format(value.replace("'", "''"))
    return json.dumps(value, ensure_ascii=False)


def as_help(description: str) -> str:
    """The help of a problem from a description of the language."""
    return (description[:1].lower() + description[1:]).removesuffix(".")
