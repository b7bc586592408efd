"""The changes that a document makes to the documents below it, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.releases import ReleaseFilter, merge_onto, no_release, releases
from opentelemetry.instrumentation.declarative.language.structure_problems import flow_style

_LONGEST_VALUE = 70


@dataclass(frozen=True, slots=True)
class Change:
    """A key that a document adds, changes or removes. The values are text, None if the key holds several others."""

    kind: Literal["adds", "changes", "removes"]
    path: KeyPath
    mark: Mark
    before: str | None = None
    after: str | None = None

    @property
    def text(self) -> str:
        text = f"{self.kind} {'.'.join(map(str, self.path))}"
        if self.kind == "changes":
            return f"{text}: {self.before} → {self.after}"
        return text if self.after is None else f"{text}: {self.after}"


def changes_of(below: Document, over: Document, applies: ReleaseFilter) -> Iterator[Change]:
    """The changes of a document itself, then those of each of its releases that apply."""
    yield from _changes(below.data, over, over.data, ())
    known = {one.name: one.version for one in releases(below)}
    base = merge_onto(below, over, no_release)
    for one in releases(over):
        version = one.version or known.get(one.name)
        if version and applies(one.name, version):
            yield from _changes(base.data, one.part, one.part.data, ())
            base = layers.merge(base, one.part)


def _changes(below: Any, over: Document, data: dict[str, Any], path: KeyPath) -> Iterator[Change]:
    for key, value in data.items():
        key_path = (*path, key)
        if not path and key in layers.FILE_KEYS:
            continue
        existing = below.get(key) if isinstance(below, dict) else None
        mark = over.keys[key_path]
        if value is None:
            if existing is not None:
                yield Change("removes", key_path, mark)
        elif isinstance(value, dict) and (isinstance(existing, dict) or (existing is None and len(key_path) in (1, 3))):
            yield from _changes(existing, over, value, key_path)
        elif existing is None:
            # A new entry of a section is only named: its content is in the file.
            yield Change("adds", key_path, mark, after=None if len(key_path) == 2 else _on_one_line(value))
        elif existing != value:
            yield Change("changes", key_path, mark, _on_one_line(existing), _on_one_line(value))


def _on_one_line(value: Any) -> str:
    text = " ".join((value if isinstance(value, str) else flow_style(value)).split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
