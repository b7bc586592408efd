"""The careful reading of a rule's expressions, for the calls in which the fast one has failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.runtime.attribute_values import title
from opentelemetry.instrumentation.declarative.runtime.guard import Rule

#: One expression as careful Python source, with its place in the spec.
Source = tuple[str, Mark]


class Value:
    """A slot of one expression; None where it fails."""

    def __init__(self, source: Source) -> None:
        self.sources = [source]

    def fill(self, values: Sequence[Any]) -> Any:
        return values[0]


class Title:
    """A slot of a name template: plain parts as they are, and the sources of the others in turn."""

    def __init__(self, parts: Sequence[str | Source]) -> None:
        self.parts = parts
        self.sources = [part for part in parts if not isinstance(part, str)]

    def fill(self, values: Sequence[Any]) -> str:
        found = iter(values)
        return title(*(part if isinstance(part, str) else next(found) for part in self.parts))


class Attributes:
    """A slot of attributes, each on its own: one that fails does not take the others with it."""

    def __init__(self, readings: Sequence[tuple[str, Source]]) -> None:
        self.keys = [key for key, _ in readings]
        self.sources = [source for _, source in readings]

    def fill(self, values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.keys, values, strict=True))


Slot = Value | Title | Attributes


class Careful:
    """Reads a group of slots step by step; what is missing is None, what raises is reported and None.

    Each expression is a rule of its own: one that does nothing but raise is no longer read, and the others are. Called
    with the values of ``parameters`` in their order. Compiled at the first call: most never need it.
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

    def _compile(self, source: Source) -> tuple[Callable[..., Any], Rule]:
        text, mark = source
        # The source is written by `Expression.careful` from a checked tree; it holds no value of the host.
        code = compile(f"lambda {', '.join(self._parameters)}: {text}", str(mark), "eval")
        return eval(code, dict(self._namespace)), Rule(self._rule.what, mark, tally=self._rule.tally)


def _read(reader: tuple[Callable[..., Any], Rule], values: Sequence[Any]) -> Any:
    read, rule = reader
    if not rule.on:
        return None
    try:
        return read(*values)
    except Exception as error:
        rule.failed(error)
        return None
