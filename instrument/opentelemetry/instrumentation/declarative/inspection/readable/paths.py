"""The paths that can be read from a value, up to a depth: ``envelope.priority``, ``self.lines[0].price``."""

from __future__ import annotations

import collections.abc
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.inspection.readable.members import Member, members
from opentelemetry.instrumentation.declarative.inspection.readable.types import Type, union


@dataclass(frozen=True, slots=True)
class ReadablePath:
    """A path that an expression can read, and its type.

    ``hidden`` counts the private names below it that are not listed. ``again`` says that the type occurs earlier in the
    path, where the names below it are listed.
    """

    path: str
    type: Type
    level: int
    hidden: int = 0
    again: bool = False


def readable_paths(name: str, type_: Type, depth: int, *, private: bool = False) -> Iterator[ReadablePath]:
    """A name and the paths below it, at most ``depth`` names deeper."""
    yield from _walk(name, type_, 0, depth, private, ())


def _walk(
    path: str, type_: Type, level: int, depth: int, private: bool, above: tuple[type, ...], *, listed: bool = True
) -> Iterator[ReadablePath]:
    classes = tuple(choice.cls for choice in type_.choices if choice.cls is not None and not _is_standard(choice.cls))
    again = bool(classes) and all(cls in above for cls in classes)
    below = [] if again or level >= depth else _below(type_, level)
    shown = sorted((each for each in below if private or not each.private), key=lambda each: each.private)
    if listed:
        yield ReadablePath(path, type_, level, len(below) - len(shown), again)
    for each in shown:
        yield from _walk(f"{path}.{each.name}", each.type, level + 1, depth, private, (*above, *classes))
    step, item = item_of(type_)
    if item is not None and level < depth and not again:
        # An item is not listed itself: the type of its container already says what it is.
        yield from _walk(f"{path}{step}", item, level, depth, private, (*above, *classes), listed=False)


def _below(type_: Type, level: int) -> list[Member]:
    """Return the names that can be read from a value; for a union, those of all alternatives."""
    found: dict[str, list[Member]] = {}
    for choice in type_.choices:
        if choice.cls is None or (level and _is_standard(choice.cls)):
            continue
        for name, each in members(choice).items():
            found.setdefault(name, []).append(each)
    return [Member(name, union(each.type for each in known), known[0].key) for name, known in found.items()]


def _is_standard(cls: type) -> bool:
    """Whether a class is part of Python: the internals of a lock or a task are of no interest in a trace."""
    top = cls.__module__.partition(".")[0]
    return top in sys.stdlib_module_names or top == "builtins"


def item_of(type_: Type) -> tuple[str, Type | None]:
    """Return how an item of a container is read, and its type; ("", None) if there are none."""
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
