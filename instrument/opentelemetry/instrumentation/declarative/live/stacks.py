"""Where the threads and tasks of this process are, for a reader in another process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from types import CoroutineType, FrameType, GeneratorType
from typing import Any, TypedDict

#: How many stacks are sent, and how many of their innermost calls.
MAX_STACKS = 200
_MAX_CALLS = 12
#: Threads of OpenTelemetry's SDK, which wait for something to export.
_SDK_PREFIX = "Otel"


class CallFacts(TypedDict):
    file: str
    line: int
    function: str


class StackFacts(TypedDict):
    """The calls of a thread or task, the innermost last."""

    name: str
    calls: list[CallFacts]


def stacks() -> list[StackFacts]:
    """The stacks of all threads but this one, and of the tasks of asyncio that wait."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    names.pop(threading.get_ident(), None)
    found, loops = [], []
    for ident, frame in sys._current_frames().items():
        name = names.get(ident, "")
        if not name or name.startswith(_SDK_PREFIX):
            continue
        frames = [*_callers(frame)]
        loop = next(filter(None, map(_event_loop, frames)), None)
        if loop is not None:
            loops.append(loop)
        if loop is None or not _is_of_loop(frame):  # a loop that waits for events waits for what its tasks wait for
            found.append(_facts(f"thread {name}", reversed(frames)))
    waiting = [_task_facts(task) for loop in loops for task in _tasks(loop)]
    return [*found, *filter(None, waiting)][:MAX_STACKS]


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_of_loop(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in ("asyncio", "selectors")


def _event_loop(frame: FrameType) -> Any:
    """The event loop that a frame of asyncio runs; None for other frames."""
    if not str(frame.f_globals.get("__name__")).startswith("asyncio."):
        return None
    from asyncio import AbstractEventLoop

    owner = frame.f_locals.get("self")
    found = (owner, getattr(owner, "_loop", None), frame.f_locals.get("loop"))
    return next((each for each in found if isinstance(each, AbstractEventLoop)), None)


def _tasks(loop: Any) -> Iterable[Any]:
    from asyncio import all_tasks

    return islice(sorted(all_tasks(loop), key=lambda task: str(task.get_name())), MAX_STACKS)


def _task_facts(task: Any) -> StackFacts | None:
    """The stack of a task; None if it is running: then it is part of the stack of its thread."""
    frames, awaited = [], task.get_coro()
    while awaited is not None:  # other types may run code of the program
        if type(awaited) is CoroutineType:
            is_running, frame, awaited = awaited.cr_running, awaited.cr_frame, awaited.cr_await
        elif type(awaited) is GeneratorType:
            is_running, frame, awaited = awaited.gi_running, awaited.gi_frame, awaited.gi_yieldfrom
        else:
            break
        if is_running:
            return None
        if frame is not None:
            frames.append(frame)
    return _facts(f"task {task.get_name()}", frames) if frames else None


def _facts(name: str, frames: Iterable[FrameType]) -> StackFacts:
    calls: list[CallFacts] = []
    wrapper = None
    for frame in frames:
        code = frame.f_code
        if (code.co_filename, code.co_name) == wrapper:
            calls.pop()
        # The wrapper of a hooked function has the name and the place of the function that it calls next.
        wrapper = (code.co_filename, code.co_name) if frame.f_lineno == code.co_firstlineno else None
        function = getattr(code, "co_qualname", code.co_name)  # since Python 3.11
        calls.append(CallFacts(file=code.co_filename, line=frame.f_lineno, function=function))
    return StackFacts(name=name, calls=calls[-_MAX_CALLS:])
