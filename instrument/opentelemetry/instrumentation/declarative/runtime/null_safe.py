"""Null-safe reading of a rule's expressions, for the calls in which reading them directly has failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.runtime.attribute_values import render_name
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.own_reading import NotLoaded

#: One expression as null-safe Python source, with its location in the spec.
LocatedSource = tuple[str, Mark]


class ValueSlot:
    """The value of one expression; None if it fails."""

    def __init__(self, source: LocatedSource) -> None:
        self.sources = [source]

    def fill(self, values: Sequence[Any]) -> Any:
        return values[0]


class NameSlot:
    """A name from a template: literal parts, and the values of expressions in between."""

    def __init__(self, parts: Sequence[str | LocatedSource]) -> None:
        self.parts = parts
        self.sources = [part for part in parts if not isinstance(part, str)]

    def fill(self, values: Sequence[Any]) -> str:
        remaining = iter(values)
        return render_name(*(part if isinstance(part, str) else next(remaining) for part in self.parts))


class AttributesSlot:
    """Attributes by their keys. One whose expression fails is None; the others are not affected."""

    def __init__(self, readings: Sequence[tuple[str, LocatedSource]]) -> None:
        self.keys = [key for key, _ in readings]
        self.sources = [source for _, source in readings]

    def fill(self, values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.keys, values, strict=True))


Slot = ValueSlot | NameSlot | AttributesSlot


class NullSafeReader:
    """Reads a group of slots expression by expression. One that raises is reported, and its value is None.

    Each expression is a rule of its own: if it fails too often, it is no longer evaluated, and the others still are.
    Called with the values of ``parameters`` in their order. Compiled at the first call, which most never receive.
    """

    def __init__(
        self, rule: Rule, parameters: Sequence[str], slots: Sequence[Slot], namespace: Mapping[str, Any]
    ) -> None:
        self._rule = rule
        self._parameters = parameters
        self._slots = slots
        self._namespace = namespace
        self._readers: list[list[tuple[Callable[..., Any], Rule]]] | None = None

    def __call__(self, *values: Any) -> Any:
        readers = self._readers
        if readers is None:
            readers = self._readers = [[self._compile(source) for source in slot.sources] for slot in self._slots]
        filled = [
            slot.fill([_read(reader, values) for reader in group])
            for slot, group in zip(self._slots, readers, strict=True)
        ]
        return filled[0] if len(filled) == 1 else filled

    def _compile(self, source: LocatedSource) -> tuple[Callable[..., Any], Rule]:
        text, mark = source
        # The source is generated from a validated expression; it contains no value of the application.
        code = compile(f"lambda {', '.join(self._parameters)}: {text}", str(mark), "eval")
        return eval(code, dict(self._namespace)), self._rule.part(mark)


def _read(reader: tuple[Callable[..., Any], Rule], values: Sequence[Any]) -> Any:
    read, rule = reader
    if not rule.on:
        return None
    try:
        return read(*values)
    except NotLoaded:
        return None
    except Exception as error:
        rule.failed(error)
        return None
