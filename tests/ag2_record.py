"""Everything that the user of an AG2 application can observe, as text that is the same in every run."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ag2 import MemoryStream
from ag2.knowledge import MemoryKnowledgeStore

#: Timestamps and addresses, and the one field of an envelope that tracing is supposed to set.
_PASSING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"datetime\.datetime\([^()]*(\([^()]*\))?[^()]*\)"), "<time>"),
    (re.compile(r"\b\d{10}\.\d+"), "<time>"),
    (re.compile(r"0x[0-9a-f]+"), "0x"),
    (re.compile(r'"trace_id": ?("[^"]*"|null)'), '"trace_id": <ours>'),
    (re.compile(r"trace_id=('[^']*'|None)"), "trace_id=<ours>"),
]


class Record:
    """The record of one run of a behaviour: the events of its streams, the files of its stores, and more."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._stores: list[MemoryKnowledgeStore] = []

    def stream(self) -> MemoryStream:
        """A stream whose events are recorded."""
        stream = MemoryStream()
        stream.subscribe(lambda event: self.say("event", event), sync_to_thread=False)
        return stream

    def store(self) -> MemoryKnowledgeStore:
        """A store whose files are recorded when the behaviour has ended."""
        self._stores.append(MemoryKnowledgeStore())
        return self._stores[-1]

    def say(self, *what: Any) -> None:
        """Record anything else."""
        self._lines.append(repr(what))

    async def outcome(self, awaitable: Awaitable[Any]) -> Any:
        """The result of an awaitable; an exception is recorded instead, with its causes."""
        try:
            return await awaitable
        except (Exception, asyncio.CancelledError) as error:
            self.say("raised", type(error), error, type(error.__cause__), type(error.__context__))
            return None

    async def _files(self, store: MemoryKnowledgeStore, folder: str = "/") -> None:
        for name in await store.list(folder):
            path = folder + name
            if path.startswith("/telemetry/"):
                continue
            if name.endswith("/"):
                await self._files(store, path)
            else:
                self.say("file", path, await store.read(path))

    async def run(self, behaviour: Callable[[Record], Awaitable[Any]]) -> list[str]:
        """Run a behaviour and return everything observed."""
        self.say("result", await behaviour(self))
        for store in self._stores:
            await self._files(store)
        lines = self._lines
        for pattern, word in _PASSING:
            lines = [pattern.sub(word, line) for line in lines]
        return lines


def seen(behaviour: Callable[[Record], Awaitable[Any]]) -> list[str]:
    """Everything observed in one run of a behaviour, with random numbers and times that are the same in every run."""
    chance, moment = itertools.count(1), itertools.count(1_800_000_000_000_000_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", lambda size: next(chance).to_bytes(size, "big"))
        patch.setattr(time, "time_ns", lambda: next(moment))
        return asyncio.run(Record().run(behaviour))
