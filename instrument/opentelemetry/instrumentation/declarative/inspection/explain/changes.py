"""What a document changes in those below it, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.document import Document, Path
from opentelemetry.instrumentation.declarative.language.releases import Meant, lay, no_release, releases

#: Keys that say something of the file or of its part, and change nothing.
_OWN = ("instrument", "extends", "name", "releases", "version")
_LONGEST = 70


@dataclass(frozen=True, slots=True)
class Change:
    """A key that a document adds, changes or removes; the values as text, None for a part of several keys."""

    what: Literal["adds", "changes", "removes"]
    path: Path
    mark: Mark
    before: str | None = None
    after: str | None = None

    @property
    def text(self) -> str:
        words = f"{self.what} {'.'.join(map(str, self.path))}"
        if self.what == "changes":
            return f"{words}: {self.before} → {self.after}"
        return words if self.after is None else f"{words}: {self.after}"


def changes_of(below: Document, over: Document, meant: Meant) -> Iterator[Change]:
    """What a document changes, and then what it says of the releases that are meant."""
    yield from _changed(below.data, over, over.data, ())
    known = {one.name: one.version for one in releases(below)}
    base = lay(below, over, no_release)
    for one in releases(over):
        version = one.version or known.get(one.name)
        if version and meant(one.name, version):
            yield from _changed(base.data, one.part, one.part.data, ())
            base = layers.merge(base, one.part)


def _changed(low: Any, over: Document, high: dict[str, Any], path: Path) -> Iterator[Change]:
    for key, value in high.items():
        here = (*path, key)
        if not path and key in _OWN:
            continue
        there = low.get(key) if isinstance(low, dict) else None
        mark = over.keys[here]
        if value is None:
            if there is not None:
                yield Change("removes", here, mark)
        elif isinstance(value, dict) and (isinstance(there, dict) or (there is None and len(here) in (1, 3))):
            yield from _changed(there, over, value, here)
        elif there is None:
            # What is new under a section is told by its name; what it holds stands in the file.
            yield Change("adds", here, mark, after=None if len(here) == 2 else _flow(value))
        elif there != value:
            yield Change("changes", here, mark, _flow(there), _flow(value))


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(_flow, value)) + "]"
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = "null" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
