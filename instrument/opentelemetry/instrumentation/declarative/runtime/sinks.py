"""The interface of a sink: the class that a spec names under ``mirrors`` to write its ended spans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from opentelemetry.instrumentation.declarative.runtime.guard import Rule


class Sink(Protocol):
    """Writes ended spans to stores of the application. Created as ``Sink(path, rule, rotate)``.

    ``path`` and ``rotate`` are the mirror's; ``rotate`` is the largest size in bytes, or None. Exceptions go to
    ``rule.failed``.
    """

    def has_options(self, path: str, rotate: int | None) -> bool:
        """Whether the sink was created with these options, so that it can be kept when the spec changes."""

    def add(self, store: Any, span: Any) -> bool:
        """Take an ended span for a store; return False if there is nothing to write."""

    async def flush(self, store: Any) -> None:
        """Wait, for a limited time, until everything taken for a store is written."""


#: Creates a sink, as its class does.
SinkFactory = Callable[[str, Rule, int | None], Sink]
