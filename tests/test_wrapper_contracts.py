"""The guarantees of wrapt and OpenTelemetry for what they wrap still hold if a spec hooks it, too."""

import asyncio
import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import wrapt
from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled, suppress_instrumentation, unwrap
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from .shape_facts import answer, of_callable

HOST = """
import functools, wrapt
calls = []
@wrapt.decorator
def theirs(wrapped, instance, args, kwargs):
    calls.append((wrapped.__name__, type(instance).__name__, isinstance(instance, type), args, kwargs))
    return wrapped(*args, **kwargs)
@theirs
def function(a, b=2):
    "What it does."
    return a, b
@theirs
async def coroutine(a, b=2): return a, b
class Host:
    one = 1
    @theirs
    def method(self, a, b=2): return a, b
    @theirs
    @classmethod
    def of_class(cls, a, b=2): return cls.one, a, b
    @theirs
    @staticmethod
    def static(a, b=2): return a, b
    @classmethod
    @theirs
    def of_class_below(cls, a, b=2): return cls.one, a, b
    @staticmethod
    @theirs
    def static_below(a, b=2): return a, b
class Heir(Host):
    one = 5
    def method(self, a, b=2): return super().method(a, b)
"""
#: The hooked callable, and the expression by which the program calls it.
HELD = {
    "function": ["function"],
    "coroutine": ["coroutine"],
    "Host.method": ["Host().method", "Heir().method", "Host.method"],
    "Host.of_class": ["Host.of_class", "Host().of_class", "Heir.of_class"],
    "Host.static": ["Host.static", "Host().static"],
    "Host.of_class_below": ["Host.of_class_below", "Heir().of_class_below"],
    "Host.static_below": ["Host.static_below"],
}
CALLS = ["1", "1, b=3", "b=1, a=2", "", "1, 2, 3"]
PROMISES: dict[str, Callable[[Any], Any]] = {
    "is one of wrapt's": lambda found: isinstance(found, wrapt.ObjectProxy | wrapt.FunctionWrapper),
    "looks like what it wraps": lambda found: (found.__class__, isinstance(found, type(lambda: 0))),
    "wraps something": lambda found: found.__wrapped__.__name__,
    "unwraps to a function": lambda found: inspect.unwrap(found).__name__,
    "can be given attributes": lambda found: (
        setattr(found, "extra", 1),
        found.extra,
        inspect.unwrap(found).extra,
        delattr(found, "extra"),
        hasattr(found, "extra"),
    ),
    "keeps attributes of its own": lambda found: (
        setattr(found, "_self_extra", 1),
        found._self_extra,
        hasattr(found.__wrapped__, "_self_extra"),
        delattr(found, "_self_extra"),
    ),
    "is true and equal to what it wraps": lambda found: (bool(found), found == found.__wrapped__, found in {found}),
    "can be copied": lambda found: type(answer(copy.copy, found)).__name__,
}


def observed(module: Any, target: str) -> dict[str, Any]:
    """The results of every kind of call, and what can be observed without calling."""
    found: dict[str, Any] = {}
    for reached in HELD[target]:
        for arguments in CALLS:
            module.calls.clear()
            given = f"Host(){', ' * bool(arguments)}{arguments}" if reached == "Host.method" else arguments
            called = answer(lambda text: _value(text, module), f"{reached}({given})")
            found[f"{reached}({given})"] = called, list(module.calls)
        facts = of_callable(eval(reached, vars(module)))
        found[reached] = {name: facts[name] for name in ("signature", "__name__", "__qualname__", "__doc__", "hints")}
        found[reached]["source"] = facts["source lines"]
        found[reached]["coroutine"] = facts["iscoroutinefunction"]
    held = inspect.getattr_static(*_owner_and_name(module, target))
    return found | {name: answer(ask, getattr(held, "__func__", held)) for name, ask in PROMISES.items()}


def _owner_and_name(module: Any, target: str) -> tuple[Any, str]:
    return (module.Host, target[5:]) if target.startswith("Host.") else (module, target)


@pytest.mark.parametrize("target", HELD)
def test_what_wrapt_guarantees_for_a_decorated_callable_holds_inside_our_wrapper(
    target: str, make_module, instrumented, tracing, logged
):
    module = make_module(HOST)
    natively = observed(module, target)
    with instrumented(f'spans: {{call: {{around: "HOST:{target}"}}}}', module):
        assert observed(module, target) == natively
    assert observed(module, target) == natively
    # The function that a proxy of wrapt keeps is patched itself: arguments that do not fit raise before it is called.
    assert StatusCode.UNSET in {span.status.status_code for span in tracing.spans}
    assert [message for message in logged() if "too many positional arguments" not in message] == []


PLAIN = """
class Cart:
    def checkout(self, lines=3): return lines
    async def ship(self, to): return to
def free(a): return a
"""
#: Not static and class methods: OpenTelemetry's `unwrap` turns them into plain functions.
PLACES = {"Cart.checkout": "Cart().checkout(5)", "Cart.ship": "Cart().ship('home')", "free": "free(a=1)"}


def _noting(seen: list[Any]) -> Callable[..., Any]:
    def note(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append((wrapped.__name__, wrapped.__qualname__, type(instance).__name__, args, kwargs))
        return wrapped(*args, **kwargs)

    return note


def _value(call: str, module: Any) -> Any:
    value = eval(call, vars(module))
    return asyncio.run(value) if inspect.iscoroutine(value) else getattr(value, "__name__", value)


@pytest.mark.parametrize("target", PLACES)
def test_wrapt_and_opentelemetry_patch_and_unpatch_our_wrapper_like_the_original(
    target: str, make_module, instrumented, tracing
):
    module, seen = make_module(PLAIN), []  # type: ignore[var-annotated]
    owner = module.Cart if "." in target else module
    name = target.rpartition(".")[2]

    def patched() -> list[Any]:
        seen.clear()
        parent, attribute, original = wrapt.resolve_path(module, target)
        wrapped = wrapt.wrap_function_wrapper(module, target, _noting(seen))
        found = [parent is owner, attribute, isinstance(vars(owner)[name], wrapt.FunctionWrapper), _value(call, module)]
        unwrap(owner, name)
        found += [vars(owner)[name] is original, wrapped.__wrapped__ is original, _value(call, module)]

        @wrapt.transient_function_wrapper(module.__name__, target)
        def passing(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            return _noting(seen)(wrapped, instance, args, kwargs)

        found += [passing(lambda: _value(call, module))(), vars(owner)[name] is original]
        return [*found, *seen]

    call = PLACES[target]
    natively = patched()
    with instrumented(f'spans: {{call: {{around: "HOST:{target}"}}}}', module):
        assert patched() == natively
    assert patched() == natively
    assert len(tracing.spans) == 3


def test_opentelemetrys_wrapper_inside_of_ours_can_be_removed_after_uninstrumenting(make_module, instrumented, tracing):
    module, seen = make_module(PLAIN), []  # type: ignore[var-annotated]
    original = vars(module.Cart)["checkout"]
    wrapt.wrap_function_wrapper(module, "Cart.checkout", _noting(seen))
    with instrumented('spans: {call: {around: "HOST:Cart.checkout"}}', module):
        assert module.Cart().checkout() == 3
    unwrap(module.Cart, "checkout")
    assert vars(module.Cart)["checkout"] is original
    assert (len(seen), tracing.names) == (1, ["call"])


SPANNED = """
from opentelemetry import baggage, context, trace
tracer = trace.NoOpTracer()
def decorate(function):
    return tracer.start_as_current_span("theirs", attributes={"a": 1})(function)
found = []
def body(fails=None):
    found.append((trace.get_current_span().get_span_context().is_valid, baggage.get_baggage("who")))
    if fails: raise fails
    return "done"
def plain(fails=None): return body(fails)
async def coroutine(fails=None): return body(fails)
class Host:
    def method(self, fails=None): return body(fails)
"""


@pytest.mark.parametrize("order", ["theirs below", "theirs above"])
@pytest.mark.parametrize("target", ["plain", "coroutine", "Host.method"])
def test_the_span_of_opentelemetrys_decorator_is_the_same_with_our_wrapper_inside_or_outside(
    target: str, order: str, make_module, instrumented, tracing, logged
):
    module = make_module(SPANNED)
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    module.tracer = provider.get_tracer("theirs")
    owner = module.Host if "." in target else module
    name = target.rpartition(".")[2]
    call = target.replace("Host.", "Host().")

    def outcome() -> list[Any]:
        exporter.clear()
        module.found.clear()
        came: list[Any] = []
        token = context.attach(baggage.set_baggage("who", "ann"))
        before = context.get_current()
        for error in (None, KeyError("no")):
            came.append(answer(lambda fails: _value_of(eval(call, vars(module)), fails), error))
            assert context.get_current() is before
        context.detach(token)
        spans = [
            (span.name, dict(span.attributes or {}), span.status.description) for span in exporter.get_finished_spans()
        ]
        return [*came, *module.found, *spans, *(len(span.events) for span in exporter.get_finished_spans())]

    original = vars(owner)[name]
    setattr(owner, name, module.decorate(original))
    natively = outcome()
    if order == "theirs above":
        setattr(owner, name, original)
    with instrumented(f'spans: {{call: {{around: "HOST:{target}"}}}}', module):
        ours = vars(owner)[name]
        if order == "theirs above":
            setattr(owner, name, module.decorate(ours))
        assert outcome() == natively
        if order == "theirs above":
            setattr(owner, name, ours)
    assert tracing.names == ["call", "call"]
    assert logged() == []


def _value_of(called: Any, fails: Any) -> Any:
    value = called(fails)
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def test_while_instrumentation_is_suppressed_everything_works_and_there_is_no_span(make_module, instrumented, tracing):
    module = make_module(PLAIN)
    with instrumented('spans: {call: {around: "HOST:Cart.checkout"}}', module):
        with suppress_instrumentation():
            assert not is_instrumentation_enabled()
            assert module.Cart().checkout() == 3
        assert is_instrumentation_enabled()
    assert tracing.spans == ()
    assert trace.get_current_span() is trace.INVALID_SPAN
