"""A sink that writes the ended spans of a hub as JSON lines to a file in its ``KnowledgeStore``, in a background task.

If a store raises, the lines are lost and the error is logged once; if its disk is full, nothing more is written to it.
If it hangs, only its own writer waits. The file is bounded, and nothing is written to a disk that is almost full: the
store is the program's, and its own writes come first.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from contextlib import suppress
from typing import Any

from opentelemetry.instrumentation.declarative.libraries.ag2.rotated_file import (
    MIN_FREE,
    RotatedFile,
    has_free_space,
    is_permanent,
)
from opentelemetry.instrumentation.declarative.libraries.ag2.spans_file_format import line_of
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.guard import Rule

#: The path of the file, as in AG2's own tracing.
PATH = "/telemetry/spans.jsonl"
#: Spans that may wait for one store. Further ones are dropped, which is reported.
MOST_WAITING = 10_000
#: Spans that are formatted together. That takes half the time, because the code is in the caches of the processor. With
#: more, the garbage collector would take longer than that saves, because they are alive until then.
FORMATTED_AT_ONCE = 50
#: Spans that are written with one append. The event loop runs in between.
MOST_AT_ONCE = 250
#: Seconds that a span waits for others, to be written together.
BATCH_DELAY = 0.1
#: Seconds that a flush may take.
FLUSH_TIMEOUT = 5.0


class SpansFile:
    """Writes one file in the store of each hub. ``rotate`` is the size in bytes at which the file is renamed."""

    def __init__(self, rule: Rule, path: str = PATH, rotate: int | None = None) -> None:
        if not isinstance(path, str) or not path:
            raise ValueError(f"path must be the path of a file in the store, not {path!r}")
        if rotate is not None and (not isinstance(rotate, int) or isinstance(rotate, bool) or rotate < 1):
            raise ValueError(f"rotate must be a number of bytes, not {rotate!r}")
        self._rule = rule
        self._path = path
        self._rotate = rotate
        #: By the store's id, as a store may be unhashable. An entry is removed together with its store.
        self._writers: dict[int, _Writer] = {}
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Drop the waiting lines in a child process: the parent writes them."""
        self._writers.clear()

    def add(self, hub: Any, span: Any) -> bool:
        """Take an ended span of a hub; return False if the hub has no store, the span is not recorded, or the file is
        not written anymore.

        It is written by the event loop running in this thread, which must be the store's. If none is running, it is
        written together with the next span or at the next flush.
        """
        store = hub._store
        # A span of the SDK has both, but the second is a property.
        if store is None or not (hasattr(span, "_end_time") or hasattr(span, "end_time")):
            return False
        return (self._writers.get(id(store)) or self._add_writer(store)).add(span)

    def _add_writer(self, store: Any) -> _Writer:
        if not callable(getattr(store, "append", None)):
            raise TypeError(f"a {type(store).__name__} has no method append")
        writer = self._writers[id(store)] = _Writer(store, self._path, self._rule, self._rotate)
        weakref.finalize(store, self._writers.pop, id(store), None)
        return writer

    async def flush(self, hub: Any) -> None:
        """Wait until everything taken for a hub is written, but no longer than ``FLUSH_TIMEOUT``."""
        writer = self._writers.get(id(hub._store))
        if writer is not None:
            await writer.flush()


class _Writer:
    """Writes the waiting lines of one store, several with one append."""

    def __init__(self, store: Any, path: str, rule: Rule, rotate: int | None) -> None:
        self._store = weakref.ref(store)
        self._file = RotatedFile(path, rotate)
        self._rule = rule
        #: The spans that have no line yet.
        self._ended: deque[Any] = deque()
        self._waiting: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: The loop of the timer.
        self._loop: Any = None
        self._stopped = False

    def add(self, span: Any) -> bool:
        if self._stopped:
            return False
        ended = self._ended
        ended.append(span)
        if len(ended) >= FORMATTED_AT_ONCE:
            self._format()
        try:
            if self._timer is None or (self._loop is not asyncio.get_running_loop() and self._loop.is_closed()):
                self._start_later()
        except RuntimeError:  # no loop is running: it is written with the next span or at the next flush
            pass
        return True

    def _start_later(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(BATCH_DELAY, self._start)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task = self._task
        if task is None or task.done() or task.get_loop().is_closed():
            self._task = asyncio.get_running_loop().create_task(self._write(), name="opentelemetry spans file")

    async def flush(self) -> None:
        everything = asyncio.ensure_future(self._write_everything())
        done, _ = await asyncio.wait([everything], timeout=FLUSH_TIMEOUT)
        if not done:
            self._rule.failed(TimeoutError(f"{self._file.path} was not written within {FLUSH_TIMEOUT:g} s"))

    async def _write_everything(self) -> None:
        while True:
            self._start()
            assert self._task is not None
            await self._task
            if not self._waiting and not self._ended:
                return

    async def _write(self) -> None:
        """Write the lines that wait now. Those that come meanwhile wait for others, as those before them did."""
        self._format()
        count = len(self._waiting)
        while count > 0 and self._waiting:
            lines = [self._waiting.popleft() for _ in range(min(count, len(self._waiting), MOST_AT_ONCE))]
            count -= len(lines)
            store = self._store()
            if store is None:
                self._clear()
                return
            try:
                await self._append(store, "".join(lines))
            except Exception as error:
                await self._failed(store, error)
            del store  # the program may drop it meanwhile
            await asyncio.sleep(0)
        if (self._waiting or self._ended) and (self._timer is None or self._loop.is_closed()):
            self._start_later()

    def _format(self) -> None:
        ended, waiting, path = self._ended, self._waiting, self._file.path
        while ended:
            span = ended.popleft()
            try:
                if len(waiting) >= MOST_WAITING:
                    raise RuntimeError(f"more than {MOST_WAITING} spans wait for {path}: the newest are dropped")
                waiting.append(line_of(span))
            except Exception as error:
                self._rule.failed(error)

    async def _append(self, store: Any, lines: str) -> None:
        file, rule = self._file, self._rule
        if not has_free_space(store):
            rule.report_once(f"writes no spans while less than {MIN_FREE // 1_000_000} MB are free on the disk.")
        elif not await file.can_hold(store):
            self._stop()
            rule.report_once(
                f"writes no spans to {file.path}: it has {file.size} bytes already. Move it, or increase `rotate`."
            )
        else:
            await file.append(store, lines)
            if file.was_renamed:
                rule.report_once(
                    f"has filled {file.path} and continues in a new file. {file.previous} has the spans before, "
                    "and is replaced each time. Increase `rotate` to keep more."
                )

    async def _failed(self, store: Any, error: Exception) -> None:
        if not is_permanent(error):
            self._rule.failed(error)
            return
        self._stop()
        self._rule.failed(error, f"{self._file.path} is removed, to make room, and no more spans are written to it")
        with suppress(Exception):
            await self._file.remove(store)

    def _stop(self) -> None:
        self._stopped = True
        self._clear()

    def _clear(self) -> None:
        self._ended.clear()
        self._waiting.clear()
