"""Null-safe reading of a rule's expressions, for the calls in which reading them directly has failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import NotLoaded
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import render_name

#: One expression as null-safe Python source, with its location in the spec.
LocatedSource = tuple[str, Mark]


#: The name in source of the function that renders a name. No expression contains it.
_RENDER_NAME = "__render_name"


#: After so many failures, the direct form is no longer tried.
_MOST_DIRECT_FAILURES = 20


class ValueSlot:
    """The value of one expression; None if it fails."""

    def __init__(self, source: LocatedSource) -> None:
        self.sources = [source]

    def fill(self, values: Sequence[Any]) -> Any:
        return values[0]

    @property
    def source(self) -> str:
        return self.sources[0][0]


class NameSlot:
    """A name from a template: literal parts, and the values of expressions in between."""

    def __init__(self, parts: Sequence[str | LocatedSource]) -> None:
        self.parts = parts
        self.sources = [part for part in parts if not isinstance(part, str)]

    def fill(self, values: Sequence[Any]) -> str:
        remaining = iter(values)
        return render_name(*(part if isinstance(part, str) else next(remaining) for part in self.parts))

    @property
    def source(self) -> str:
        if not self.sources:
            return repr(self.fill(()))
        parts = (repr(part) if isinstance(part, str) else part[0] for part in self.parts)
        return f"{_RENDER_NAME}({', '.join(parts)})"


class AttributesSlot:
    """Attributes by their keys. One whose expression fails is None; the others are not affected."""

    def __init__(self, readings: Sequence[tuple[str, LocatedSource]]) -> None:
        self.keys = [key for key, _ in readings]
        self.sources = [source for _, source in readings]

    def fill(self, values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.keys, values, strict=True))

    @property
    def source(self) -> str:
        return f"{{{', '.join(f'{key!r}: {text}' for key, (text, _) in zip(self.keys, self.sources, strict=True))}}}"


Slot = ValueSlot | NameSlot | AttributesSlot


class NullSafeReader:
    """Reads a group of slots null-safe: all at once or, from the first failure on, expression by expression.

    An expression that raises is reported, and its value is None. Each is a rule of its own then: if it fails too often,
    it is no longer evaluated, and the others still are. Called with the values of ``parameters`` in their order.
    Compiled at the first call, which most never receive.

    ``first`` reads all at once. It is set once the direct form has failed often, and called instead of it: an exception
    takes longer than a null-safe reading, for example of a mapping.
    """

    def __init__(
        self, rule: Rule, parameters: Sequence[str], slots: Sequence[Slot], namespace: Mapping[str, Any]
    ) -> None:
        self._rule = rule
        self._parameters = parameters
        self._slots = slots
        self._namespace = namespace
        self._calls = 0
        self._read_all: Callable[..., Any] | None = None
        self._readers: list[list[tuple[Callable[..., Any], Rule]]] | None = None
        self.first: Callable[..., Any] | None = None

    def __call__(self, *values: Any) -> Any:
        if self._readers is None:
            with suppress(Exception):  # what has failed fails again on its own, and is reported
                return self._at_once(values)
        self.first = None
        readers = self._readers
        if readers is None:
            readers = self._readers = [[self._compile_one(each) for each in slot.sources] for slot in self._slots]
        filled = [
            slot.fill([_read(reader, values) for reader in group])
            for slot, group in zip(self._slots, readers, strict=True)
        ]
        return filled[0] if len(filled) == 1 else filled

    def _at_once(self, values: Sequence[Any]) -> Any:
        read = self._read_all
        if read is None:
            sources = [slot.source for slot in self._slots]
            text = sources[0] if len(sources) == 1 else f"[{', '.join(sources)}]"
            read = self._read_all = self._compile(text, self._rule.mark)
        found = read(*values)
        self._calls += 1
        if self._calls >= _MOST_DIRECT_FAILURES:
            self.first = read
        return found

    def _compile_one(self, source: LocatedSource) -> tuple[Callable[..., Any], Rule]:
        text, mark = source
        return self._compile(text, mark), self._rule.part(mark)

    def _compile(self, text: str, mark: Mark) -> Callable[..., Any]:
        # The source is generated from validated expressions; it contains no value of the program.
        code = compile(f"lambda {', '.join(self._parameters)}: {text}", str(mark), "eval")
        read: Callable[..., Any] = eval(code, {**self._namespace, _RENDER_NAME: render_name})
        return read


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
