"""Values that are collected over the items of the result of one call, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import number, text_or_none
from opentelemetry.instrumentation.declarative.language.nodes.collection import CollectionKind

#: The most characters of a text that is joined.
MAX_CHARACTERS = 100_000
#: The most values of a list.
MAX_VALUES = 1_000


class _Collected:
    """Collects one value. It is None until there is an item with a value."""

    value: Any = None

    def add(self, value: Any) -> None:
        raise NotImplementedError


class _Count(_Collected):
    value = 0

    def add(self, value: Any) -> None:
        if value:
            self.value += 1


class _First(_Collected):
    def add(self, value: Any) -> None:
        if self.value is None:
            self.value = value


class _Last(_Collected):
    def add(self, value: Any) -> None:
        if value is not None:
            self.value = value


class _Sum(_Collected):
    def add(self, value: Any) -> None:
        found = number(value)
        if found is not None:
            self.value = found if self.value is None else self.value + found


class _Join(_Collected):
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left = MAX_CHARACTERS

    def add(self, value: Any) -> None:
        text = text_or_none(value) if self._left else None
        if text:
            self._parts.append(text[: self._left])
            self._left -= len(self._parts[-1])
            if len(self._parts) > 1_000:  # a stream of single characters must not keep a list of them
                self._parts = ["".join(self._parts)]

    @property
    def value(self) -> str | None:
        return "".join(self._parts) or None


class _List(_Collected):
    def add(self, value: Any) -> None:
        if value is None:
            return
        if self.value is None:
            self.value = []
        if len(self.value) < MAX_VALUES:
            self.value.append(value)


_KINDS: dict[CollectionKind, type[_Collected]] = {
    "count": _Count,
    "first": _First,
    "last": _Last,
    "join": _Join,
    "list": _List,
    "sum": _Sum,
}


def new_collected(kinds: Sequence[CollectionKind]) -> Callable[[], list[_Collected]]:
    """What a call starts with: a function that returns one collector for each kind."""
    classes = [_KINDS[kind] for kind in kinds]
    return lambda: [cls() for cls in classes]


def collected_value(collected: list[_Collected] | None, index: int) -> Any:
    """The value that has been collected so far. None if the hook does not apply to the call."""
    return None if collected is None else collected[index].value
