"""Values of a validated document with their positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.spec_model import Moment, Target, Text

T = TypeVar("T")


class DocumentNode:
    """A value of a document with its path. Whatever is read from it keeps its mark."""

    def __init__(self, document: Document, path: KeyPath) -> None:
        self.document = document
        self.path = path
        value: Any = document.data
        for step in path:
            value = value[step]
        self.value: Any = value

    @property
    def mark(self) -> Mark:
        return self.document.marks[self.path]

    @property
    def key_mark(self) -> Mark:
        return self.document.keys.get(self.path, self.mark)

    def get(self, key: str) -> DocumentNode | None:
        if not isinstance(self.value, dict) or self.value.get(key) is None:
            return None
        return DocumentNode(self.document, (*self.path, key))

    def require(self, key: str) -> DocumentNode:
        return DocumentNode(self.document, (*self.path, key))

    def entries(self, key: str) -> Iterator[tuple[str, DocumentNode]]:
        """The entries of the mapping under ``key``, without those that a layer has removed (null)."""
        node = self.get(key)
        for name in node.value if node else ():
            entry = node.get(name) if node else None
            if entry is not None:
                yield name, entry

    def items(self) -> list[DocumentNode]:
        """The items of this list, or this value as the only item."""
        if isinstance(self.value, list):
            return [DocumentNode(self.document, (*self.path, index)) for index in range(len(self.value))]
        return [self]

    def listed(self, key: str) -> list[DocumentNode]:
        """The items of the list under ``key``, or the single value there; empty if there is neither."""
        node = self.get(key)
        return node.items() if node else []

    def text(self, key: str | None = None) -> Text | None:
        node = self if key is None else self.get(key)
        return None if node is None else Text(str(node.value), node.mark)

    def required_text(self, key: str | None = None) -> Text:
        node = self if key is None else self.require(key)
        return Text(str(node.value), node.mark)

    def target(self) -> Target:
        module, _, path = str(self.value).partition(":")
        return Target(self._installed(module), path, self.mark)

    def _installed(self, module: str) -> str:
        """The name that a module has in the installed release. The longest renamed package takes precedence."""
        renamed: dict[str, str | None] = self.document.data.get("modules") or {}
        parts = module.split(".") if renamed else []
        for end in range(len(parts), 0, -1):
            if new_name := renamed.get(".".join(parts[:end])):
                return ".".join([new_name, *parts[end:]])
        return module

    def moments(self, key: str) -> tuple[Moment, ...]:
        return tuple(item.moment() for item in self.require(key).items())

    def texts(self, key: str) -> dict[str, Text]:
        return {name: entry.required_text() for name, entry in self.entries(key)}

    def moment(self) -> Moment:
        hook, _, phase = str(self.value).partition(".")
        return Moment(hook, phase, self.mark)  # type: ignore[arg-type]  # the schema has checked the phase

    def map(self, key: str, read: Callable[[DocumentNode], T]) -> T | None:
        node = self.get(key)
        return None if node is None else read(node)
