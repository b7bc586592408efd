"""Everything that the user of an AG2 application can see of it, as text that is the same in every run."""

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

#: What clocks and addresses leave behind, and the one field of an envelope that tracing is meant to fill.
_PASSING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"datetime\.datetime\([^()]*(\([^()]*\))?[^()]*\)"), "<time>"),
    (re.compile(r"\b\d{10}\.\d+"), "<time>"),
    (re.compile(r"0x[0-9a-f]+"), "0x"),
    (re.compile(r'"trace_id": ?("[^"]*"|null)'), '"trace_id": <ours>'),
    (re.compile(r"trace_id=('[^']*'|None)"), "trace_id=<ours>"),
]


class Record:
    """What one run of a behaviour leaves: the events of its streams, the files of its stores, and what it says."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._stores: list[MemoryKnowledgeStore] = []

    def stream(self) -> MemoryStream:
        """A stream whose events are recorded."""
        stream = MemoryStream()
        stream.subscribe(lambda event: self.say("event", event), sync_to_thread=False)
        return stream

    def store(self) -> MemoryKnowledgeStore:
        """A store whose files are recorded when the behaviour is over."""
        self._stores.append(MemoryKnowledgeStore())
        return self._stores[-1]

    def say(self, *what: Any) -> None:
        """Record anything else."""
        self._lines.append(repr(what))

    async def outcome(self, awaitable: Awaitable[Any]) -> Any:
        """What an awaitable gives; what it raises instead is recorded with what it comes from."""
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
        """Run a behaviour; gives all that was seen of it."""
        self.say("result", await behaviour(self))
        for store in self._stores:
            await self._files(store)
        lines = self._lines
        for pattern, word in _PASSING:
            lines = [pattern.sub(word, line) for line in lines]
        return lines


def seen(behaviour: Callable[[Record], Awaitable[Any]]) -> list[str]:
    """All that is seen of one run of a behaviour, in which chance and time deal out the same ids every time."""
    chance, moment = itertools.count(1), itertools.count(1_800_000_000_000_000_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", lambda size: next(chance).to_bytes(size, "big"))
        patch.setattr(time, "time_ns", lambda: next(moment))
        return asyncio.run(Record().run(behaviour))
