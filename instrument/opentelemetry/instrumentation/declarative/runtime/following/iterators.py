"""Following generators and asynchronous generators."""

from __future__ import annotations

import dis
import inspect
import sys
import types
from collections.abc import AsyncGenerator, Generator
from typing import Any, cast

from opentelemetry.instrumentation.declarative.runtime.following.followed_call import FollowedCall
from opentelemetry.instrumentation.declarative.runtime.following.generators import (
    hide_from_event_loop,
    without_own_frame,
)
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import copy_function


def follow_generator(source: types.GeneratorType[Any, Any, Any], call: FollowedCall) -> Any:
    """Return a generator that passes everything on to ``source`` and back; None if that has ended or is running."""
    state = inspect.getgeneratorstate(source)
    if state not in (inspect.GEN_CREATED, inspect.GEN_SUSPENDED):
        return None
    has_started = state == inspect.GEN_SUSPENDED
    is_awaitable = source.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE
    following: Any = (_awaitable_steps if is_awaitable else generator_steps)(source, call, has_started=has_started)
    following.__name__, following.__qualname__ = source.__name__, source.__qualname__
    if has_started:
        next(following)  # so that it accepts a value at once, as the source does
    return following


def follow_asynchronous_generator(source: types.AsyncGeneratorType[Any, Any], call: FollowedCall) -> Any:
    """Return an asynchronous generator that passes everything on to ``source`` and back; None if that has started."""
    if not _is_unstarted(source):
        return None
    following: Any = asynchronous_steps(source, call)
    following.__name__, following.__qualname__ = source.__name__, source.__qualname__
    return following


def _is_unstarted(source: types.AsyncGeneratorType[Any, Any]) -> bool:
    frame: Any = source.ag_frame
    if source.ag_running or frame is None:
        return False
    if sys.version_info >= (3, 12):
        return inspect.getasyncgenstate(source) == inspect.AGEN_CREATED
    if sys.version_info >= (3, 11):
        return bool(frame.f_code.co_code[frame.f_lasti] == dis.opmap["RETURN_GENERATOR"])
    return bool(frame.f_lasti < 0)


# `yield from` spelled out: a context attached across a `yield` would leak into the caller of the next step. The items
# are passed on through a list, so that our frame keeps none of them alive. With ``is_block``, what is between the first
# `yield` and the next step is a `with` block, in which the context of the step before is current.


def generator_steps(
    source: Generator[Any, Any, Any], call: FollowedCall, *, has_started: bool = False, is_block: bool = False
) -> Generator[Any, Any, Any]:
    items: list[Any] = [None]
    advance: Any
    value: Any
    advance, value = source.send, None
    while True:
        if has_started:
            try:
                advance, value = source.send, (yield items.pop())
            except BaseException as thrown:
                advance, value = source.throw, without_own_frame(thrown)
        has_started = True
        entered = call.enter()
        try:
            items[:] = (advance(value),)
            if not is_block:
                call.gave(items[0])
        except StopIteration as stop:
            call.exhausted(stop.value, is_block)
            return stop.value
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            call.leave(entered)
            advance = value = None
        if is_block:
            call.enter_block(items[0])


# `types.coroutine` changes the function that it is given.
_awaitable_steps: Any = types.coroutine(copy_function(cast(types.FunctionType, generator_steps)))


async def asynchronous_steps(
    source: AsyncGenerator[Any, Any], call: FollowedCall, *, is_block: bool = False
) -> AsyncGenerator[Any, Any]:
    items: list[Any] = []
    advance: Any
    value: Any
    advance, value = hide_from_event_loop(source), None
    while True:
        entered = call.enter()
        try:
            items.append(await advance(value))
            if not is_block:
                call.gave(items[0])
        except StopAsyncIteration:
            call.exhausted(None, is_block)
            return
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            call.leave(entered)
            advance = value = None
        if is_block:
            call.enter_block(items[0])
        try:
            advance, value = source.asend, (yield items.pop())
        except BaseException as thrown:
            advance, value = source.athrow, without_own_frame(thrown)
