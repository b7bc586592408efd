"""One call of a host's callable, brought to one outcome, and all that the host can see of it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry import trace

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
FAILED = ("raise", "cancel", "throw")
ERROR, THROWN, CAUGHT, CANCELLED = (
    RuntimeError("no"),
    ValueError("thrown"),
    KeyError("caught"),
    asyncio.CancelledError(),
)
OURS = "<instrument "


def finished(step: Callable[..., Any], *args: Any) -> tuple[Any, ...]:
    """What one step comes to: what it gives, or what it raises, from where and after what.

    Nothing has become current by it, and of all frames that an exception has come through at most one is ours.
    """
    before = trace.get_current_span()
    found: tuple[Any, ...]
    try:
        found = ("gave", step(*args))
    except BaseException as error:
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            found = ("stopped", error.value if isinstance(error, StopIteration) else None)
        else:
            found = ("raised", error, _way(error), repr(error.__context__), error.__suppress_context__)
    assert trace.get_current_span() is before
    return found


def _way(error: BaseException) -> list[str]:
    """The places that an exception has come through, but not those of ours."""
    places, ours, at = [], 0, error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if code.co_filename.startswith(OURS):
            ours += 1
        elif not code.co_filename.startswith(sys.prefix) and "contextlib" not in code.co_filename:
            places.append(f"{code.co_name}:{at.tb_lineno}")
        at = at.tb_next
    assert ours <= 1, f"{ours} frames of ours in {places}"
    return places


def awaited(awaitable: Any, cancel: bool = False) -> tuple[Any, ...]:
    """What an awaitable comes to in a context of its own, as in a task."""
    context = contextvars.copy_context()
    waiting = awaitable if inspect.iscoroutine(awaitable) else awaitable.__await__()
    step = finished(context.run, waiting.send, None)
    while step == ("gave", None):
        step = finished(context.run, waiting.throw, CANCELLED) if cancel else finished(context.run, waiting.send, None)
    return step if step[0] == "raised" else ("came to", step[1])


def outcome_of(module: Any, call: Callable[[], Any], kind: str, outcome: str) -> list[Any]:
    """Everything that the host can see of one call."""
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
    """What an event loop does for asynchronous generators: it learns of each, and closes those that are let go."""
    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(
        lambda _: seen.append("announced"), lambda generator: seen.append(awaited(generator.aclose()))
    )
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*before)


def _generated(module: Any, running: Any, outcome: str, seen: list[Any], plainly: Any) -> None:
    names = ("send", "throw", "close") if plainly else ("asend", "athrow", "aclose")

    def act(name: str, *args: Any) -> None:
        method = getattr(running, names[("send", "throw", "close").index(name)])
        seen.append(plainly(method, *args) if plainly else awaited(method(*args), cancel=outcome == "cancel"))

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
    """What happens inside a `with`; it can be left early by a `return` too."""
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

    seen.append(finished(manager.__enter__) if outcome == "collect" else finished(run))


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
    """What every way of calling comes to with every outcome. ``during`` happens once in each call, in its body."""
    found = {}
    for text in case.calls:
        for outcome in OUTCOMES[case.kind]:
            module.meanwhile = _once(module, during) if during else None
            found[text, outcome] = outcome_of(module, eval(f"lambda: {text}", vars(module)), case.kind, outcome)
            module.meanwhile = None
            if outcome == "collect" and case.shape == "cached property":
                gc.collect()  # what it has made hangs on its host, and that hangs on it
            after(outcome)
    return found


def _once(module: Any, act: Callable[[], Any]) -> Callable[[], None]:
    def meanwhile() -> None:
        module.meanwhile = None
        act()

    return meanwhile
