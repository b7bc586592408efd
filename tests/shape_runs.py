"""Calls of a callable with each outcome, and everything that the program can observe of them."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.runtime import following

from .shape_table import Case

_GENERATED = ("return", "raise", "throw", "throw and catch", "close", "collect")
OUTCOMES = {
    "plain": ("return", "raise"),
    "coroutine": ("return", "raise", "cancel", "close", "collect"),
    "generator": _GENERATED,
    "asynchronous generator": (*_GENERATED, "cancel"),
    "context manager": _GENERATED,
    "asynchronous context manager": (*_GENERATED, "cancel"),
}
FAILED = ("raise", "throw")
ERROR, THROWN, CAUGHT, CANCELLED = (
    RuntimeError("no"),
    ValueError("thrown"),
    KeyError("caught"),
    asyncio.CancelledError(),
)
OURS = ("<instrument ", following.__path__[0])


def finished(step: Callable[..., Any], *args: Any) -> tuple[Any, ...]:
    """The outcome of a step: its value, or its exception with the traceback and context.

    Asserts that the step does not change the current span, and that at most one frame of the traceback is ours.
    """
    before = trace.get_current_span()
    found: tuple[Any, ...]
    try:
        found = ("value", step(*args))
    except BaseException as error:
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            found = ("stopped", error.value if isinstance(error, StopIteration) else None)
        else:
            found = ("raised", error, _frames(error), repr(error.__context__), error.__suppress_context__)
    assert trace.get_current_span() is before
    return found


def _frames(error: BaseException) -> list[str]:
    """The frames of a traceback without ours."""
    places, ours, at = [], 0, error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if code.co_filename.startswith(OURS) or _is_wrapper(code):
            ours += 1
        elif not code.co_filename.startswith(sys.prefix) and "contextlib" not in code.co_filename:
            places.append(f"{code.co_name}:{at.tb_lineno}")
        at = at.tb_next
    assert ours <= 1, f"{ours} frames of ours in {places}"
    return places


def _is_wrapper(code: types.CodeType) -> bool:
    """Whether the code of a function has been replaced: the new code has the line of the definition only."""
    return code.co_name != "<lambda>" and {line for *_, line in code.co_lines() if line} == {code.co_firstlineno}


def awaited(awaitable: Any, cancel: bool = False) -> tuple[Any, ...]:
    """The outcome of an awaitable in its own context, as in a task."""
    context = contextvars.copy_context()
    waiting = awaitable if inspect.iscoroutine(awaitable) else awaitable.__await__()
    step = finished(context.run, waiting.send, None)
    while step == ("value", None):
        step = finished(context.run, waiting.throw, CANCELLED) if cancel else finished(context.run, waiting.send, None)
    return step if step[0] == "raised" else ("returned", step[1])


def outcome_of(module: Any, call: Callable[[], Any], kind: str, outcome: str) -> list[Any]:
    """Everything that the program can observe of one call."""
    module.raises = ERROR if outcome == "raise" else None
    seen: list[Any] = module.seen
    seen.clear()
    module.inside.clear()
    for error in (ERROR, THROWN, CAUGHT, CANCELLED):
        error.__traceback__ = error.__context__ = None
        error.__suppress_context__ = False
    if kind == "plain":
        return [finished(call), *seen]
    if kind == "coroutine":
        _coroutine(call(), outcome, seen)
    elif kind == "context manager":
        _block(call(), outcome, seen)
    elif kind == "generator":
        _generated(module, call(), outcome, seen, finished)
    else:
        with event_loop(seen):
            if kind == "asynchronous generator":
                _generated(module, call(), outcome, seen, None)
            else:
                _asynchronous_block(call(), outcome, seen)
    return list(seen)


def _coroutine(running: Any, outcome: str, seen: list[Any]) -> None:
    if outcome in ("close", "collect"):
        context = contextvars.copy_context()
        assert context.run(running.send, None) is None
        if outcome == "close":
            context.run(running.close)
    else:
        seen.append(awaited(running, cancel=outcome == "cancel"))


@contextlib.contextmanager
def event_loop(seen: list[Any]) -> Iterator[None]:
    """Handle asynchronous generators as an event loop does: note each of them, and close those that are collected."""
    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(
        lambda _: seen.append("announced"), lambda generator: seen.append(awaited(generator.aclose()))
    )
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*before)


def _generated(module: Any, running: Any, outcome: str, seen: list[Any], step: Any) -> None:
    names = ("send", "throw", "close") if step else ("asend", "athrow", "aclose")

    def act(name: str, *args: Any) -> None:
        method = getattr(running, names[("send", "throw", "close").index(name)])
        seen.append(step(method, *args) if step else awaited(method(*args), cancel=outcome == "cancel"))

    act("send", None)
    if outcome in ("throw", "throw and catch"):
        act("throw", THROWN if outcome == "throw" else CAUGHT)
    if outcome in ("return", "raise", "cancel", "throw and catch"):
        act("send", module.SENT)
    if outcome in ("return", "raise", "throw and catch"):
        act("send", module.SENT)
        act("send", None)  # it stays finished
    if outcome == "close":
        act("close")
        act("close")


def _in_block(outcome: str) -> None:
    """Run the body of a `with` block. A `return` can also leave it early."""
    if outcome in ("throw", "throw and catch"):
        raise THROWN if outcome == "throw" else CAUGHT


def _block(manager: Any, outcome: str, seen: list[Any]) -> None:
    seen.append(type(manager))

    def run() -> str:
        with manager as given:
            seen.append(given)
            _in_block(outcome)
            if outcome == "close":
                return "early"
        return "at the end"

    if outcome == "collect":
        # In a context of its own: the block stays open, and its span is current there.
        seen.append(contextvars.copy_context().run(manager.__enter__))
    else:
        seen.append(finished(run))


def _asynchronous_block(manager: Any, outcome: str, seen: list[Any]) -> None:
    seen.append(type(manager))

    async def run() -> str:
        async with manager as given:
            seen.append(given)
            _in_block(outcome)
            if outcome == "close":
                return "early"
        return "at the end"

    seen.append(awaited(manager.__aenter__() if outcome == "collect" else run(), cancel=outcome == "cancel"))


def outcomes_of(
    module: Any, case: Case, after: Callable[[str], None] = lambda _: None, during: Callable[[], Any] | None = None
) -> dict[tuple[str, str], list[Any]]:
    """Observe every call with every outcome. ``during`` is called once within the body of each."""
    found = {}
    for text in case.calls:
        for outcome in OUTCOMES[case.kind]:
            module.meanwhile = _once(module, during) if during else None
            found[text, outcome] = outcome_of(module, eval(f"lambda: {text}", vars(module)), case.kind, outcome)
            module.meanwhile = None
            if outcome == "collect" and case.shape == "cached property":
                gc.collect()  # the cached generator and its object refer to each other
            after(outcome)
    return found


def _once(module: Any, act: Callable[[], Any]) -> Callable[[], None]:
    def meanwhile() -> None:
        module.meanwhile = None
        act()

    return meanwhile
