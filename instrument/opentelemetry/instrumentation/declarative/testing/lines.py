"""The text of a tree: how the lines of a trace are written, and read again from what a test expects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["attribute", "error", "event", "link", "span"]
#: In the order in which they stand below a span.
ROLES: tuple[Role, ...] = ("attribute", "error", "event", "link", "span")

#: Stands for any text, in a name or a value.
ANY = "<any>"
NOTHING = "(no spans)"

_SIGNS: dict[Role, str] = {"error": "!", "event": "•", "link": "↪"}
#: What a keyboard has is read as well.
_READ: dict[str, Role] = {"!": "error", "•": "event", "*": "event", "↪": "link", "->": "link"}
_ATTRIBUTE = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s="]+)\s?=\s?(.*)')
_FLAG = r"(?:client|server|producer|consumer|ok|open)"
_FLAGS = re.compile(rf"(.*\S)\s+\(({_FLAG}(?:, {_FLAG})*)\)")
_ARROW = re.compile(r"(^|\s)->\s")


class UnreadableTree(AssertionError):
    """What a test expects is no tree."""


@dataclass(slots=True, eq=False)
class Line:
    """One line of a tree, without its sign, and the lines below it."""

    role: Role
    text: str
    #: What stands in brackets behind a span's name: its kind, that it is OK, that it has not ended.
    flags: tuple[str, ...] = ()
    below: list[Line] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Of an attribute."""
        found = _ATTRIBUTE.fullmatch(self.text)
        return found[1] if found else self.text

    @property
    def head(self) -> str:
        sign = _SIGNS.get(self.role)
        flags = f" ({', '.join(self.flags)})" if self.flags else ""
        return (f"{sign} {self.text}" if sign else self.text + flags).rstrip()

    def those(self, role: Role) -> list[Line]:
        return [line for line in self.below if line.role == role]


def attribute(key: str, value: Any) -> Line:
    key = key if re.fullmatch(r'[^\s="]+', key) and key.isprintable() else _json(key)
    return Line("attribute", f"{key}={value_text(value)}")


def value_text(value: Any) -> str:
    """A value as JSON; a text without quotes, unless it would then be another value."""
    if isinstance(value, (bool, int, float, list, tuple, dict)) or value is None:
        return _json(value)
    value = str(value)
    return value if value and _is_plain(value) and _read(value) is None else _json(value)


def name_text(name: str) -> str:
    """The name of a span; in quotes where it would look like something else."""
    first = name.partition(" ")[0]
    looks_different = first in _READ or name[:1] in ('"', "(") or _ATTRIBUTE.fullmatch(name) or _FLAGS.fullmatch(name)
    return name if name and _is_plain(name) and not looks_different else _json(name)


def sentence(text: str) -> str:
    """A text that stands on a line behind a sign."""
    return text if _is_plain(text) else _json(text)


def walk(lines: Iterable[Line]) -> Iterator[tuple[Line, int]]:
    """Each line with its depth, as they stand. Without recursion: calls may be nested deeper than Python's stack."""
    stack = [(line, 0) for line in reversed([*lines])]
    while stack:
        line, depth = stack.pop()
        yield line, depth
        stack.extend((below, depth + 1) for below in reversed(line.below))


def write(lines: Iterable[Line]) -> str:
    return "\n".join(f"{'  ' * depth}{line.head}" for line, depth in walk(lines)) or NOTHING


def parse(text: str) -> list[Line]:
    """The tree that a text shows, as deep as its lines are indented. Raises UnreadableTree where it shows none."""
    roots: list[Line] = []
    above: list[tuple[int, Line]] = []
    for number, raw in enumerate(text.expandtabs().splitlines(), 1):
        content = raw.strip()
        if not content or content == NOTHING:
            continue
        depth = len(raw) - len(raw.lstrip())
        deeper = bool(above) and depth > above[-1][0]
        while above and depth <= above[-1][0]:
            last, _ = above.pop()
            if last == depth:
                break
        else:
            if roots and not deeper:
                raise _unreadable(number, content, "is indented like no line above it", "Align it with one of these.")
        line = _line(content)
        _check_place(number, content, line, above[-1][1] if above else None)
        (above[-1][1].below if above else roots).append(line)
        above.append((depth, line))
    return roots


def _line(content: str) -> Line:
    sign, _, rest = content.partition(" ")
    if role := _READ.get(sign):
        return Line(role, _ARROW.sub(r"\1→ ", rest, count=1).strip() if sign == "->" else rest.strip())
    if found := _ATTRIBUTE.fullmatch(content):
        value = found[2]
        read = _read(value)
        return Line("attribute", f"{found[1]}={value if read is None else value_text(read[0])}")
    if found := _FLAGS.fullmatch(content):
        return Line("span", found[1], tuple(found[2].split(", ")))
    return Line("span", content)


def _check_place(number: int, content: str, line: Line, above: Line | None) -> None:
    if above is None:
        if line.role != "span":
            raise _unreadable(number, content, "stands below no span", "Indent it deeper than the span it belongs to.")
        return
    if above.role in ("attribute", "error") or (above.role != "span" and line.role != "attribute"):
        what = {"attribute": "an attribute", "error": "an error", "event": "an event", "link": "a link"}[above.role]
        raise _unreadable(number, content, f"stands below {what}", "Align it with the line above.")
    if line.role == "attribute" and any(each.role == "attribute" and each.key == line.key for each in above.below):
        raise _unreadable(number, content, f"is the second {line.key} of one {above.role}", "Remove one of the two.")


def _unreadable(number: int, content: str, why: str, mend: str) -> UnreadableTree:
    return UnreadableTree(f"the expected tree cannot be read: its line {number}, `{content}`, {why}. {mend}")


def _is_plain(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _json(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value, default=str)


def _read(value: str) -> tuple[Any] | None:
    """What a text means as JSON, in a tuple; None where it is only a text."""
    try:
        return (json.loads(value),)
    except (ValueError, RecursionError):
        return None
