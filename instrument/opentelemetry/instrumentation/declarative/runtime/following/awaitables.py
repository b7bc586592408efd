"""Following coroutines and futures."""

from __future__ import annotations

import contextvars
import inspect
import sys
import types
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.runtime.following.followed_call import FollowedCall

if TYPE_CHECKING:
    import asyncio
    import concurrent.futures


def follow_coroutine(source: types.CoroutineType[Any, Any, Any], call: FollowedCall) -> Any:
    """Return a coroutine that awaits ``source``."""
    following: Any = _awaiting(source, call)
    following.__name__, following.__qualname__ = source.__name__, source.__qualname__
    if inspect.getcoroutinestate(source) == inspect.CORO_CREATED:
        call.unstarted = source
    return following


async def _awaiting(source: Coroutine[Any, Any, Any], call: FollowedCall) -> Any:
    call.unstarted = None
    entered = call.enter()
    try:
        result = await source
    except BaseException as error:
        call.failed(error)
        raise
    else:
        return call.settled(result)
    finally:
        call.leave(entered)


def follow_asyncio_future(future: asyncio.Future[Any], call: FollowedCall) -> Any:
    """Return the future itself, which says when it is done."""
    if future.done():
        _future_done(future, call)
    else:
        future.add_done_callback(lambda done: _future_done(done, call))
    return future


def follow_thread_future(future: concurrent.futures.Future[Any], call: FollowedCall) -> Any:
    """Return the future itself, which says when it is done, in the thread that has completed it."""
    if future.done():
        _future_done(future, call)
    else:
        context = contextvars.copy_context()
        future.add_done_callback(lambda done: context.run(_future_done, done, call))
    return future


def _future_done(future: Any, call: FollowedCall) -> None:
    # The attributes and not the methods: asking for the exception would stop asyncio from logging that nobody has.
    if future.cancelled():
        module = "asyncio" if hasattr(future, "_asyncio_future_blocking") else "concurrent.futures"
        call.failed(sys.modules[module].CancelledError())
    elif future._exception is not None:
        call.failed(future._exception)
    else:
        call.finished(future._result)


def follow_unknown_future(future: Any, call: FollowedCall) -> Any:
    """Return the future itself, whose class is not known: it says when it is done, but not how to read its outcome."""
    context = contextvars.copy_context()
    future.add_done_callback(lambda *_: context.copy().run(call.finished, future))
    return future


def follow_deferred(deferred: Any, call: FollowedCall) -> Any:
    """Return the ``Deferred`` of Twisted itself."""
    failure_class = sys.modules["twisted.python.failure"].Failure

    def fired(value: Any) -> Any:
        if isinstance(value, failure_class):
            call.failed(value.value)
        else:
            call.finished(value)
        return value

    return deferred.addBoth(fired)
