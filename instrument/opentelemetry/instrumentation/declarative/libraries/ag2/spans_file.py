"""A sink that writes ended spans as JSON lines to a file in AG2's ``KnowledgeStore``, in a background task.

A store has ``async append(path, text)``; rotation also requires ``read``, ``write`` and ``delete``. If a store raises,
the lines are lost and the error is logged once. If it hangs, only its own writer waits.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import Any

from opentelemetry.instrumentation.declarative.libraries.ag2.spans_file_format import line_of
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.guard import Rule

#: Spans that may wait for one store. Further ones are dropped, which is reported.
MOST_WAITING = 10_000
#: Seconds that a span waits for others, to be written together.
BATCH_DELAY = 0.1
#: Seconds that a flush may take.
FLUSH_TIMEOUT = 5.0


class SpansFile:
    """Writes one file in each store. ``rotate`` is the size in bytes at which the file is renamed."""

    def __init__(self, path: str, rule: Rule, rotate: int | None = None) -> None:
        self._path = path
        self._rule = rule
        self._rotate = rotate
        #: By the store's id, as a store may be unhashable. An entry is removed together with its store.
        self._writers: dict[int, _Writer] = {}
        reset_in_children(self)

    def has_options(self, path: str, rotate: int | None) -> bool:
        return (self._path, self._rotate) == (path, rotate)

    def reset_after_fork(self) -> None:
        """Drop the waiting spans in a child process: the parent writes them."""
        self._writers.clear()

    def add(self, store: Any, span: Any) -> bool:
        """Take an ended span for a store; return False if there is no store or the span is not recorded.

        It is written by the event loop running in this thread, which must be the store's. If none is running, it is
        written together with the next span or at the next flush.
        """
        if store is None or not hasattr(span, "end_time"):
            return False
        writer = self._writers.get(id(store)) or self._add_writer(store)
        writer.add(span)
        return True

    def _add_writer(self, store: Any) -> _Writer:
        if not callable(getattr(store, "append", None)):
            raise TypeError(f"a {type(store).__name__} has no method append")
        writer = self._writers[id(store)] = _Writer(store, self._path, self._rule, self._rotate)
        weakref.finalize(store, self._writers.pop, id(store), None)
        return writer

    async def flush(self, store: Any) -> None:
        """Wait until everything taken for a store is written, but no longer than ``FLUSH_TIMEOUT``."""
        writer = self._writers.get(id(store))
        if writer is not None:
            await writer.flush()


class _Writer:
    """Writes the waiting spans of one store, all of them with one append."""

    def __init__(self, store: Any, path: str, rule: Rule, rotate: int | None) -> None:
        self._store = weakref.ref(store)
        self._path = path
        self._rule = rule
        self._rotate = rotate
        self._size: int | None = None
        self._waiting: deque[Any] = deque()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, span: Any) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._rule.failed(
                RuntimeError(f"more than {MOST_WAITING} spans wait for {self._path}: the newest are dropped")
            )
            return
        self._waiting.append(span)
        if self._timer is not None and self._loop is not None and not self._loop.is_closed():
            return
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # written with the next span or at the next flush
        self._timer = self._loop.call_later(BATCH_DELAY, self._start)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task = self._task
        if task is None or task.done() or task.get_loop().is_closed():
            self._task = asyncio.get_running_loop().create_task(self._write(), name="opentelemetry spans file")

    async def flush(self) -> None:
        self._start()
        assert self._task is not None
        done, _ = await asyncio.wait([self._task], timeout=FLUSH_TIMEOUT)
        if not done:
            self._rule.failed(TimeoutError(f"{self._path} was not written within {FLUSH_TIMEOUT:g} s"))

    async def _write(self) -> None:
        while self._waiting:
            spans, store = self._take_waiting(), self._store()
            if store is None:
                return
            try:
                await self._append(store, "".join(map(line_of, spans)))
            except Exception as error:
                self._rule.failed(error)

    def _take_waiting(self) -> list[Any]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    async def _append(self, store: Any, lines: str) -> None:
        if self._rotate is not None:
            await self._rotate_if_full(store, self._rotate)
            self._size = (self._size or 0) + len(lines.encode())
        await store.append(self._path, lines)

    async def _rotate_if_full(self, store: Any, most: int) -> None:
        """Rename the file to ``….1`` once it has reached its size, replacing the previous one."""
        if self._size is None:
            self._size = len((await store.read(self._path) or "").encode())
        if self._size >= most:
            await store.write(f"{self._path}.1", await store.read(self._path) or "")
            await store.delete(self._path)
            self._size = 0
