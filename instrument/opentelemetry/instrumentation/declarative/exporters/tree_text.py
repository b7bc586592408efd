"""The lines of a tree in text: branches, wrapped words, colours, and texts that cannot affect a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import printable
from opentelemetry.instrumentation.declarative.exporters.forest import Item, Node

MAX_VALUE = 60
_NARROWEST = 40

_STYLES = {
    "name": "\x1b[1m",
    "dim": "\x1b[2m",
    "error": "\x1b[1;31m",
    "event": "\x1b[33m",
    "link": "\x1b[36m",
    "heading": "\x1b[1;4m",
}
_RESET = "\x1b[0m"


class Word(NamedTuple):
    """A text that is not wrapped, and its style."""

    text: str
    style: str = ""


class TreeText:
    """Writes trees and lists within a width."""

    def __init__(self, color: bool, width: int) -> None:
        self._color = color
        self._width = max(width, _NARROWEST)

    def tree(
        self, roots: Sequence[Node[Item]], describe: Callable[[Node[Item]], Iterable[list[Word]]]
    ) -> Iterator[str]:
        """The lines of a tree. ``describe`` returns the lines of a node before they are wrapped.

        Not recursive: calls may be nested deeper than Python's stack.
        """
        stack = [(node, 1, "", number == 0) for number, node in enumerate(reversed(roots))]
        while stack:
            node, depth, indent, is_last = stack.pop()
            is_deep = len(indent) > self._width // 2
            inner = indent if is_deep else indent + ("   " if is_last else "│  ")
            bar = inner + ("│ " if node.children else "  ")
            head, *details = describe(node)
            if is_deep:
                head.insert(0, Word(f"({depth} deep)", "dim"))
            yield from self.lines(head, indent + ("└─ " if is_last else "├─ "), bar + "  ")
            for detail in details:
                yield from self.lines(detail, bar, bar + "  ")
            stack.extend((child, depth + 1, inner, number == 0) for number, child in enumerate(reversed(node.children)))

    def lines(self, words: Sequence[Word], first: str = "", following: str = "  ") -> Iterator[str]:
        """Wrap words into lines. The first line starts with ``first``, the others with ``following``."""
        prefix, line, used = first, "", 0
        room = max(self._width - len(following), _NARROWEST // 2)
        for word in words:
            text = shortened(word.text, room)
            if used and used + 1 + len(text) > room:
                yield self._styled(prefix, "dim") + line
                prefix, line, used = following, "", 0
            line += (" " if used else "") + self._styled(text, word.style)
            used += len(text) + bool(used)
        yield self._styled(prefix, "dim") + line

    def _styled(self, text: str, style: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self._color and style and text.strip() else text


def words(text: str, style: str = "") -> list[Word]:
    return [Word(printable(word), style) for word in text.split()]


def pairs(attributes: Mapping[str, object]) -> list[Word]:
    return [Word(f"{printable(key)}={_value(key, value)}", "dim") for key, value in attributes.items()]


def milliseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.2f} ms"


def distinct_prefixes(ids: Iterable[str]) -> dict[str, str]:
    """The shortest prefixes of at least four digits that distinguish the ids."""
    known = set(ids)
    for length in range(4, 32):
        if len({text[:length] for text in known}) == len(known):
            return {text: text[:length] for text in known}
    return {text: text for text in known}


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _value(key: str, value: object) -> str:
    if key == "exception.stacktrace":
        return f"({len(str(value).splitlines())} lines)"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = printable(text[: MAX_VALUE + 1])  # the rest is cut anyway, and a message of a model may be very long
    if isinstance(value, str) and (not text or any(character in " =\"'" for character in text)):
        quote = "'" if '"' in text else '"'
        return shortened(f"{quote}{text}", MAX_VALUE - 1) + quote
    return shortened(text, MAX_VALUE)
