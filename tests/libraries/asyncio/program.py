"""Runs coroutines in tasks, waits for futures, and calls functions in threads. Some of them fail or are cancelled."""

import asyncio
import contextlib
import functools
import os

from opentelemetry import trace

os.environ["OTEL_PYTHON_ASYNCIO_COROUTINE_NAMES_TO_TRACE"] = "brew, brew_one, pour, refuse, rest"
os.environ["OTEL_PYTHON_ASYNCIO_TO_THREAD_FUNCTION_NAMES_TO_TRACE"] = "weigh,drop"
os.environ["OTEL_PYTHON_ASYNCIO_FUTURE_TRACE_ENABLED"] = "true"


async def brew(minutes: int) -> int:
    with trace.get_tracer("shop").start_as_current_span("own span of the program"):
        await asyncio.sleep(0)
    return minutes


async def pour() -> int:
    return await asyncio.create_task(brew(1))


async def refuse() -> None:
    raise ValueError("no tea left")


async def rest() -> None:
    await asyncio.sleep(60)


async def untraced() -> None:
    await asyncio.sleep(0)


def weigh(grams: int) -> int:
    return grams


def drop() -> None:
    raise OSError("it fell")


async def use() -> None:
    with trace.get_tracer("shop").start_as_current_span("shop"):
        await asyncio.create_task(pour())
        await asyncio.gather(brew(2), untraced())
        await asyncio.wait_for(brew(3), 10)
        with contextlib.suppress(ValueError):
            await asyncio.create_task(refuse())
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(rest(), 0.01)
        task = asyncio.create_task(rest())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        async with asyncio.TaskGroup() as group:
            group.create_task(brew(4))
        for each in asyncio.as_completed([asyncio.create_task(brew(5))]):
            await each
        future = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(future)
        future.set_result(1)
        await waiting
        await asyncio.to_thread(weigh, 5)
        await asyncio.to_thread(functools.partial(weigh, 5))
        with contextlib.suppress(OSError):
            await asyncio.to_thread(drop)


def main() -> None:
    asyncio.run(use())


LOOP = asyncio.new_event_loop()


async def brew_many() -> None:
    for _ in range(20):
        await asyncio.create_task(brew_one())


async def brew_one() -> None:
    pass


def hot() -> None:
    LOOP.run_until_complete(brew_many())
