"""The text of a tree: how a trace is written, and how the expected text of a test is parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["attribute", "error", "event", "link", "span"]
#: In the order in which they are written below a span.
ROLES: tuple[Role, ...] = ("attribute", "error", "event", "link", "span")

#: Matches any text, in a name or a value.
ANY = "<any>"
NO_SPANS = "(no spans)"

_SIGNS: dict[Role, str] = {"error": "!", "event": "•", "link": "↪"}
#: The signs that are accepted, among them some that every keyboard has.
_ACCEPTED_SIGNS: dict[str, Role] = {"!": "error", "•": "event", "*": "event", "↪": "link", "->": "link"}
_ATTRIBUTE = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s="]+)\s?=\s?(.*)')
_FLAG = r"(?:client|server|producer|consumer|ok|open)"
_FLAGS = re.compile(rf"(.*\S)\s+\(({_FLAG}(?:, {_FLAG})*)\)")
_ARROW = re.compile(r"(^|\s)->\s")


class TreeSyntaxError(AssertionError):
    """The expected text of a test is not a tree."""


@dataclass(slots=True, eq=False)
class TreeLine:
    """A line of a tree without its sign, and the lines below it."""

    role: Role
    text: str
    #: The words in parentheses after the name of a span: its kind, ``ok``, ``open``.
    flags: tuple[str, ...] = ()
    children: list[TreeLine] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The key of an attribute."""
        found = _ATTRIBUTE.fullmatch(self.text)
        return found[1] if found else self.text

    @property
    def head(self) -> str:
        """The line as it is written, without indentation."""
        sign = _SIGNS.get(self.role)
        flags = f" ({', '.join(self.flags)})" if self.flags else ""
        return (f"{sign} {self.text}" if sign else self.text + flags).rstrip()

    def children_of_role(self, role: Role) -> list[TreeLine]:
        return [line for line in self.children if line.role == role]


def attribute_line(key: str, value: Any) -> TreeLine:
    key = key if re.fullmatch(r'[^\s="]+', key) and key.isprintable() else _json(key)
    return TreeLine("attribute", f"{key}={value_text(value)}")


def value_text(value: Any) -> str:
    """A value as JSON. A text is quoted only if it would otherwise be parsed as another value."""
    if isinstance(value, (bool, int, float, list, tuple, dict)) or value is None:
        return _json(value)
    value = str(value)
    return value if value and _is_plain(value) and _parse_json(value) is None else _json(value)


def name_text(name: str) -> str:
    """The name of a span. It is quoted only if it would otherwise be parsed as something else."""
    first = name.partition(" ")[0]
    is_ambiguous = (
        first in _ACCEPTED_SIGNS or name[:1] in ('"', "(") or _ATTRIBUTE.fullmatch(name) or _FLAGS.fullmatch(name)
    )
    return name if name and _is_plain(name) and not is_ambiguous else _json(name)


def text_after_sign(text: str) -> str:
    """A text that follows a sign. It is quoted only if it does not fit on one line."""
    return text if _is_plain(text) else _json(text)


def walk_lines(lines: Iterable[TreeLine]) -> Iterator[tuple[TreeLine, int]]:
    """Each line with its depth, in order. Not recursive: calls may be nested deeper than Python's stack."""
    stack = [(line, 0) for line in reversed([*lines])]
    while stack:
        line, depth = stack.pop()
        yield line, depth
        stack.extend((child, depth + 1) for child in reversed(line.children))


def write_tree(lines: Iterable[TreeLine]) -> str:
    return "\n".join(f"{'  ' * depth}{line.head}" for line, depth in walk_lines(lines)) or NO_SPANS


def parse_tree(text: str) -> list[TreeLine]:
    """Parse a tree, whose levels are given by indentation. Raises TreeSyntaxError."""
    roots: list[TreeLine] = []
    ancestors: list[tuple[int, TreeLine]] = []
    for number, raw in enumerate(text.expandtabs().splitlines(), 1):
        content = raw.strip()
        if not content or content == NO_SPANS:
            continue
        depth = len(raw) - len(raw.lstrip())
        is_deeper = bool(ancestors) and depth > ancestors[-1][0]
        while ancestors and depth <= ancestors[-1][0]:
            last, _ = ancestors.pop()
            if last == depth:
                break
        else:
            if roots and not is_deeper:
                raise _error(number, content, "is not aligned with any line above it", "Align it with one of them.")
        line = _parse_line(content)
        _check_parent(number, content, line, ancestors[-1][1] if ancestors else None)
        (ancestors[-1][1].children if ancestors else roots).append(line)
        ancestors.append((depth, line))
    return roots


def _parse_line(content: str) -> TreeLine:
    sign, _, rest = content.partition(" ")
    if role := _ACCEPTED_SIGNS.get(sign):
        return TreeLine(role, _ARROW.sub(r"\1→ ", rest, count=1).strip() if sign == "->" else rest.strip())
    if found := _ATTRIBUTE.fullmatch(content):
        value = found[2]
        parsed = _parse_json(value)
        return TreeLine("attribute", f"{found[1]}={value if parsed is None else value_text(parsed[0])}")
    if found := _FLAGS.fullmatch(content):
        return TreeLine("span", found[1], tuple(found[2].split(", ")))
    return TreeLine("span", content)


def _check_parent(number: int, content: str, line: TreeLine, parent: TreeLine | None) -> None:
    """Raise TreeSyntaxError if a line cannot be below this parent."""
    if parent is None:
        if line.role != "span":
            raise _error(number, content, "is not below a span", "Indent it more than the span to which it belongs.")
        return
    if parent.role in ("attribute", "error") or (parent.role != "span" and line.role != "attribute"):
        name = {"attribute": "an attribute", "error": "an error", "event": "an event", "link": "a link"}[parent.role]
        raise _error(number, content, f"is below {name}", "Align it with the line above.")
    if line.role == "attribute" and any(each.key == line.key for each in parent.children_of_role("attribute")):
        raise _error(number, content, f"repeats {line.key} for the same {parent.role}", "Remove one of the two.")


def _error(number: int, content: str, reason: str, help: str) -> TreeSyntaxError:
    return TreeSyntaxError(f"the expected tree is invalid: its line {number}, `{content}`, {reason}. {help}")


def _is_plain(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _json(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value, default=str)


def _parse_json(value: str) -> tuple[Any] | None:
    """The value of a JSON text, in a tuple; None if the text is not JSON."""
    try:
        return (json.loads(value),)
    except (ValueError, RecursionError):
        return None
