"""A hooked callable behaves as it did before, whatever it is and however it is called; its span tells the outcome."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import pickle
import sys
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from .shape_table import Case, table

CASES = list(table())
OUTCOMES = {
    "plain": ("return", "raise"),
    "coroutine": ("return", "raise", "cancel", "close", "collect"),
    "generator": ("return", "raise", "throw", "throw and catch", "close", "collect"),
    "asynchronous generator": ("return", "raise", "cancel", "throw", "throw and catch", "close", "collect"),
}
FAILED = ("raise", "cancel", "throw")
ERROR, THROWN, CAUGHT, CANCELLED = (
    RuntimeError("no"),
    ValueError("thrown"),
    KeyError("caught"),
    asyncio.CancelledError(),
)
SPEC = """
spans:
  call: {around: "HOST:TARGET"}
"""


def finished(step: Callable[..., Any], *args: Any) -> tuple[str, Any]:
    """What one step comes to, and nothing has become current by it."""
    before = trace.get_current_span()
    try:
        found = ("gave", step(*args))
    except BaseException as error:
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            found = ("stopped", error.value if isinstance(error, StopIteration) else None)
        else:
            found = ("raised", error)
    assert trace.get_current_span() is before
    return found


def awaited(awaitable: Any, cancel: bool = False) -> tuple[str, Any]:
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
    module.seen.clear()
    module.inside.clear()
    seen: list[Any] = module.seen
    if kind == "plain":
        return [finished(call), *seen]
    for error in (ERROR, THROWN, CAUGHT, CANCELLED):
        error.__traceback__ = error.__context__ = None
    if kind == "asynchronous generator":
        with event_loop(seen):
            _generated(module, call(), outcome, seen, None)
    elif kind == "generator":
        _generated(module, call(), outcome, seen, finished)
    else:
        running = call()
        if outcome in ("close", "collect"):
            context = contextvars.copy_context()
            assert context.run(running.send, None) is None
            if outcome == "close":
                context.run(running.close)
        else:
            seen.append(awaited(running, cancel=outcome == "cancel"))
        del running
    return list(seen)


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


def facts(module: Any, case: Case) -> dict[str, Any]:
    """All that introspection and pickling tell."""
    reached = eval(case.reached, vars(module))
    raw = getattr(reached, "__func__", reached)
    told: dict[str, Any] = {
        name: getattr(raw, name, None)
        for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__")
    }
    told["annotations"] = getattr(raw, "__annotations__", None)
    told["signature"] = inspect.signature(reached)
    told["hints"] = typing.get_type_hints(reached) if case.shape != "partial" else None
    told["globals"] = id(getattr(raw, "__globals__", None))
    for ask in ("iscoroutinefunction", "isgeneratorfunction", "isasyncgenfunction", "ismethod", "isfunction"):
        told[ask] = getattr(inspect, ask)(reached)
    told["pickle"] = pickle.dumps(reached) if case.shape != "partial" else pickle.loads(pickle.dumps(reached)).args
    told["kind of object"] = type(reached) if case.shape not in ("lru cache", "partial") else reached.__class__
    return told


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hooked_callable_cannot_be_told_from_the_original(
    case: Case, make_module: Any, instrumented: Any, tracing: Any, said: Any
) -> None:
    module = make_module(case.source)

    def outcomes(after: Callable[[str], None] = lambda _: None) -> dict[tuple[str, str], list[Any]]:
        found = {}
        for arguments in case.calls:
            for outcome in OUTCOMES[case.kind]:
                call = eval(f"lambda: {case.reached}({arguments})", vars(module))
                found[arguments, outcome] = outcome_of(module, call, case.kind, outcome)
                after(outcome)
        return found

    before, natively = facts(module, case), outcomes()

    def check_span(outcome: str) -> None:
        with_detail = f"{case} {outcome}"
        span = tracing.span
        failed = outcome in FAILED
        assert span.status.status_code is (StatusCode.ERROR if failed else StatusCode.UNSET), with_detail
        assert [event.name for event in span.events] == (["exception"] if failed else []), with_detail
        inside = {each.get_span_context().span_id for each in module.inside}
        if case.kind == "coroutine" and outcome == "collect":
            inside.discard(0)  # the garbage collector runs in a context of its own
        assert inside == {span.context.span_id}, with_detail
        tracing.exporter.clear()

    with instrumented(SPEC.replace("TARGET", case.target), module):
        assert facts(module, case) == before
        assert outcomes(check_span) == natively

    assert tracing.spans == ()
    assert outcomes() == natively
    assert tracing.spans == ()
    assert [message for message in said() if "imported by name" not in message] == []


def test_the_table_has_not_shrunk() -> None:
    assert len(CASES) >= 190
    assert len({(case.shape, case.kind) for case in CASES}) >= 40
