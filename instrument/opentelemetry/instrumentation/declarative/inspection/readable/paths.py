"""The paths below a value, to a depth: ``envelope.priority``, ``self.lines[0].price``."""

from __future__ import annotations

import collections.abc
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.inspection.readable.members import Member, members
from opentelemetry.instrumentation.declarative.inspection.readable.types import Type, union


@dataclass(frozen=True, slots=True)
class Entry:
    """A path that an expression can read, and its type.

    ``hidden``: how many private names are below it and not listed. ``again``: the type stands further up in the same
    path, and what is below it is listed there.
    """

    path: str
    type: Type
    level: int
    hidden: int = 0
    again: bool = False


def entries(name: str, type_: Type, depth: int, *, private: bool = False) -> Iterator[Entry]:
    """A name that can be read and the paths below it, at most ``depth`` names further."""
    yield from _walk(name, type_, 0, depth, private, ())


def _walk(
    path: str, type_: Type, level: int, depth: int, private: bool, above: tuple[type, ...], *, listed: bool = True
) -> Iterator[Entry]:
    classes = tuple(choice.cls for choice in type_.choices if choice.cls is not None and not _is_of_python(choice.cls))
    again = bool(classes) and all(cls in above for cls in classes)
    below = [] if again or level >= depth else _below(type_, level)
    shown = sorted((each for each in below if private or not each.private), key=lambda each: each.private)
    if listed:
        yield Entry(path, type_, level, len(below) - len(shown), again)
    for each in shown:
        yield from _walk(f"{path}.{each.name}", each.type, level + 1, depth, private, (*above, *classes))
    step, item = item_of(type_)
    if item is not None and level < depth and not again:
        # An item has no line of its own: that of what holds it says what it is.
        yield from _walk(f"{path}{step}", item, level, depth, private, (*above, *classes), listed=False)


def _below(type_: Type, level: int) -> list[Member]:
    """The names below a value; of a union, those of all its alternatives, each with all its types."""
    found: dict[str, list[Member]] = {}
    for choice in type_.choices:
        if choice.cls is None or (level and _is_of_python(choice.cls)):
            continue
        for name, each in members(choice).items():
            found.setdefault(name, []).append(each)
    return [Member(name, union(each.type for each in known), known[0].key) for name, known in found.items()]


def _is_of_python(cls: type) -> bool:
    """Whether a class comes with Python: what is inside a lock or a task is not what a trace is about."""
    top = cls.__module__.partition(".")[0]
    return top in sys.stdlib_module_names or top == "builtins"


def item_of(type_: Type) -> tuple[str, Type | None]:
    """How an item of a value is read, and its type; empty where it has none."""
    if type_.options or type_.cls is None or not type_.args:
        return "", None
    if issubclass(type_.cls, collections.abc.Mapping):
        key = '["…"]' if type_.args[0].cls is str else "[…]"
        return (key, type_.args[1]) if len(type_.args) > 1 else ("", None)
    if type_.cls is tuple:
        return ("[0]", type_.args[0]) if len({each.text for each in type_.args}) == 1 else ("", None)
    if issubclass(type_.cls, collections.abc.Sequence) or type_.cls is collections.deque:
        return "[0]", type_.args[0]
    return "", None
