"""The interface of a sink: what a spec names under ``mirrors`` to write its ended spans to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from opentelemetry.instrumentation.declarative.runtime.guard import Rule


class Sink(Protocol):
    """Writes ended spans to the stores that it is given. It is called as ``Sink(path, rule, rotate)``.

    ``path`` and ``rotate`` are those of the mirror, ``rotate`` in bytes or None; exceptions go to ``rule.failed``.
    """

    def writes(self, path: str, rotate: int | None) -> bool:
        """Whether this sink already does what a mirror with these options asks for."""

    def add(self, store: Any, span: Any) -> bool:
        """Take an ended span for a store; False if there is nothing to write."""

    async def flush(self, store: Any) -> None:
        """Wait, for a bounded time, until everything taken for a store is written."""


#: Gives the class of a sink.
SinkFactory = Callable[[str, Rule, int | None], Sink]
