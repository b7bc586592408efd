"""Values that need quotes in braces, as in ``{when: order.lines[0] == "a"}``: brackets and commas end text there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TEXT = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_QUOTE = re.compile("[\"']")
_KEY = re.compile(r"""[\s,]*("[^"]*"|'[^']*'|[\w.*$-]+)\s*:\s+""")
_OPENED = re.compile(r"(?:^\s*|:\s+|-\s+)\{")
#: What text without quotes cannot contain in braces, and what it cannot start with.
_NEEDS_QUOTES = re.compile(r"[\[\]{},]|:\s|\s#|^[@%`]")
#: An item of something, which a list cannot contain without quotes.
_ITEM_OF = re.compile(r"""[\w)"'][\[{]""")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


class UnquotedValue(NamedTuple):
    """A value that needs quotes, with its key. ``start`` and ``end`` are offsets in its line."""

    key: str
    start: int
    end: int


def unquoted_values(line: str, *, in_braces: bool) -> list[UnquotedValue]:
    """The values in a line that need quotes. ``in_braces``: whether the line may be inside of braces as a whole."""
    opened = _OPENED.search(line)
    if opened is not None:
        return [*_in_braces(line, opened.end())]
    return [*_in_braces(line, 0)] if in_braces else []


def _in_braces(line: str, start: int) -> Iterator[UnquotedValue]:
    """The values in braces that are opened before an offset, and in braces inside of them."""
    while (key := _KEY.match(line, start)) is not None:
        start = key.end()
        if line[start : start + 1] == "{" and (_KEY.match(line, start + 1) or line[start : start + 2] == "{}"):
            start += 1
            continue  # the entries of the inner braces are read as if they were of the outer ones
        end = _end_of_value(line, start)
        if end is None:
            return
        text = line[start:end].rstrip()
        if text and not _is_valid(text) and not _QUOTE.search(_TEXT.sub("", text)):
            yield UnquotedValue(key[1], start, start + len(text))
        start = end
        while line[start : start + 1] in ("}", " ") and start < len(line):
            start += 1


def _is_valid(text: str) -> bool:
    """Whether YAML reads a value in braces as it is written."""
    quoted = _TEXT.match(text)
    if quoted is not None:
        return quoted.end() == len(text)
    if text[0] in "[{":
        return _end_of_value(text, 1, ends="}]") == len(text) - 1 and not _ITEM_OF.search(text)
    return not _NEEDS_QUOTES.search(text)


def _end_of_value(line: str, start: int, ends: str = ",}]") -> int | None:
    """Where a value ends: at a comma or a brace that is not in brackets or quotes. None if a bracket is not closed."""
    expected: list[str] = []
    index = start
    while index < len(line):
        character = line[index]
        if character in "\"'" and (index == start or not line[index - 1].isalnum() or line[index - 1] in "frb"):
            text = _TEXT.match(line, index)
            index = text.end() if text else index + 1
            continue
        if not expected and character in ends:
            return index
        if character in _BRACKETS:
            expected.append(_BRACKETS[character])
        elif expected and character == expected[-1]:
            expected.pop()
        index += 1
    return None if expected else index
