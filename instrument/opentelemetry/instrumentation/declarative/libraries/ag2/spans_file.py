"""Ended spans as JSON lines in a store of the library's own, written beside the host's work and never in its way.

A store is anything with ``async append(path, text)``, such as AG2's ``KnowledgeStore``; rotation also asks for
``read``, ``write`` and ``delete``. A store that raises loses its lines, and that is said once; one that hangs holds up
nobody but its own writer.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import Any

from opentelemetry.instrumentation.declarative.libraries.ag2.spans_file_format import line_of
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.guard import Rule

#: Spans that wait for one store; more are dropped, and that is said.
MOST_WAITING = 10_000
#: Seconds that a span may wait for others to be written with.
GATHERING = 0.1
#: Seconds that the closing of the host may wait for its last lines.
PATIENCE = 5.0


class SpansFile:
    """One file in each of the stores that it is given. ``rotate``: the size in bytes at which the file is set aside."""

    def __init__(self, path: str, rule: Rule, rotate: int | None = None) -> None:
        self._path = path
        self._rule = rule
        self._rotate = rotate
        #: By the store's id: a store may well be unhashable. An entry goes with its store.
        self._writers: dict[int, _Writer] = {}
        reset_in_children(self)

    def writes(self, path: str, rotate: int | None) -> bool:
        return (self._path, self._rotate) == (path, rotate)

    def reset_after_fork(self) -> None:
        """Begin anew, in a child process: what waits is written by the parent."""
        self._writers.clear()

    def add(self, store: Any, span: Any) -> bool:
        """Take an ended span for a store. Must run in the event loop that the store belongs to; else it waits there.

        False where there is no store or nothing to be written.
        """
        if store is None or not hasattr(span, "end_time"):
            return False  # A span that is not recorded has nothing that could be written.
        writer = self._writers.get(id(store)) or self._writer(store)
        writer.add(span)
        return True

    def _writer(self, store: Any) -> _Writer:
        if not callable(getattr(store, "append", None)):
            raise TypeError(f"a {type(store).__name__} has no append")
        writer = self._writers[id(store)] = _Writer(store, self._path, self._rule, self._rotate)
        weakref.finalize(store, self._writers.pop, id(store), None)
        return writer

    async def flush(self, store: Any) -> None:
        """Wait until everything taken for a store is written, though no longer than ``PATIENCE``."""
        writer = self._writers.get(id(store))
        if writer is not None:
            await writer.flush()


class _Writer:
    """Writes what waits for one store: all that has come together goes into one append."""

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
            return  # No loop runs here: the span waits for the next one, or for the flush.
        self._timer = self._loop.call_later(GATHERING, self._start)

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
        done, _ = await asyncio.wait([self._task], timeout=PATIENCE)
        if not done:
            self._rule.failed(TimeoutError(f"{self._path} was not written within {PATIENCE:g} s"))

    async def _write(self) -> None:
        while self._waiting:
            spans, store = self._take(), self._store()
            if store is None:
                return
            try:
                await self._append(store, "".join(map(line_of, spans)))
            except Exception as error:
                self._rule.failed(error)

    def _take(self) -> list[Any]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    async def _append(self, store: Any, lines: str) -> None:
        if self._rotate is not None:
            await self._rotated(store, self._rotate)
            self._size = (self._size or 0) + len(lines.encode())
        await store.append(self._path, lines)

    async def _rotated(self, store: Any, most: int) -> None:
        """Set the file aside as ``….1``, over the one before it, once it has reached its size."""
        if self._size is None:
            self._size = len((await store.read(self._path) or "").encode())
        if self._size >= most:
            await store.write(f"{self._path}.1", await store.read(self._path) or "")
            await store.delete(self._path)
            self._size = 0
