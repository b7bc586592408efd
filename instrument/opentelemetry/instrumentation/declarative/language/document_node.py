"""Values of a document with their positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.values import Moment, Target, Text


class DocumentNode:
    """A value of a document with its path. Whatever is read from it keeps its mark."""

    __slots__ = ("document", "path", "value")

    def __init__(self, document: Document, path: KeyPath, value: Any) -> None:
        self.document = document
        self.path = path
        self.value = value

    @classmethod
    def root(cls, document: Document) -> DocumentNode:
        return cls(document, (), document.data)

    @property
    def mark(self) -> Mark:
        return self.document.marks[self.path]

    @property
    def key_mark(self) -> Mark:
        """The mark of the key that the value is under; that of the value if it is not under a key."""
        return self.document.keys.get(self.path) or self.mark

    def at(self, key: str) -> DocumentNode:
        """The value under a key of this mapping; None if there is no such key."""
        return DocumentNode(self.document, (*self.path, key), self.value.get(key))

    def items(self) -> Iterator[DocumentNode]:
        """The items of this list."""
        for index, item in enumerate(self.value):
            yield DocumentNode(self.document, (*self.path, index), item)

    def text(self) -> Text:
        return Text(str(self.value), self.mark)

    def string(self) -> str:
        return str(self.value)

    def target(self) -> Target:
        module, _, path = str(self.value).partition(":")
        return Target(self._installed(module), path, self.mark)

    def moment(self) -> Moment:
        hook, _, phase = str(self.value).partition(".")
        return Moment(hook, phase, self.mark)  # type: ignore[arg-type]  # the pattern has checked the phase

    def _installed(self, module: str) -> str:
        """The name that a module has in the installed release. The longest renamed package takes precedence."""
        target = self.document.data.get("target")
        renamed = target.get("modules") if isinstance(target, dict) else None
        if not isinstance(renamed, dict):  # there are none, or they are a problem that is reported
            return module
        parts = module.split(".")
        for end in range(len(parts), 0, -1):
            if isinstance(new_name := renamed.get(".".join(parts[:end])), str):
                return ".".join([new_name, *parts[end:]])
        return module
