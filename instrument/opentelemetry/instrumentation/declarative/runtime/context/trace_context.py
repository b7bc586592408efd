"""Trace context: what is current, and what a field carries as W3C traceparent and tracestate.

The format is W3C's whatever ``OTEL_PROPAGATORS`` contains: the only reader of the field is this package, or AG2.
Source: https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import Token
from typing import Any

from opentelemetry import context as _context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.instrumentation.declarative.expressions.call_context import MODEL_CALLS_KEY
from opentelemetry.instrumentation.declarative.expressions.headers import decoded, is_carrier
from opentelemetry.instrumentation.declarative.expressions.operators import header
from opentelemetry.instrumentation.declarative.language.values import Suppressed
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import our_own
from opentelemetry.instrumentation.utils import (
    suppress_http_instrumentation,
    suppress_instrumentation,
)
from opentelemetry.trace import Link, Span, SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

#: An empty context: a span started in it is the root of its own trace.
ROOT = Context()

_w3c = TraceContextTextMapPropagator()
_new = object.__new__
#: The flags of a traceparent by their value.
_FLAGS = tuple(f"{flags:02x}" for flags in range(256))


def _is_tuple() -> bool:
    """Whether the context of a span is a tuple of trace id, span id, is_remote, flags, state and is_valid."""
    state = trace.TraceState()
    expected = (1, 2, True, trace.TraceFlags(1), state, True)
    return isinstance(made := SpanContext(*expected[:5]), tuple) and tuple(made) == expected


#: The class of contexts that are such tuples.
_TUPLE = SpanContext if _is_tuple() else None


def _direct_access() -> tuple[Callable[[], Context], Callable[[Context], Any]]:
    """The functions that return and set the current context: of its variable, if it is in one, and nothing is added."""
    runtime = getattr(_context, "_RUNTIME_CONTEXT", None)
    variable = getattr(runtime, "_current_context", None)
    methods = (ContextVarsRuntimeContext.get_current, ContextVarsRuntimeContext.attach)
    names = [getattr(method, "__code__", None) and method.__code__.co_names for method in methods]
    is_plain = names == [("_current_context", "get"), ("_current_context", "set")]
    if type(runtime) is ContextVarsRuntimeContext and isinstance(variable, contextvars.ContextVar) and is_plain:
        return variable.get, variable.set
    return _context.get_current, _context.attach


current_context, attach = _direct_access()


def _suppressing_keys(suppress: Callable[[], AbstractContextManager[None]]) -> tuple[str, ...]:
    with suppress():
        return tuple(_context.get_current())


#: The key of the current span in a context, and those of values that suppress instrumentation.
(SPAN_KEY,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())
_SUPPRESSING = contextvars.Context().run(_suppressing_keys, suppress_instrumentation)
_SUPPRESSING_HTTP = contextvars.Context().run(_suppressing_keys, suppress_http_instrumentation)

_SUPPRESSED_BY: dict[Suppressed, tuple[str, ...]] = {
    "instrumentation": _SUPPRESSING,
    "http": _SUPPRESSING_HTTP,
    "model_calls": (MODEL_CALLS_KEY,),
}


def is_suppressed(context: Context) -> bool:
    """Whether instrumentation is suppressed in a context."""
    for key in _SUPPRESSING:  # noqa: SIM110  # a generator costs more than the whole loop
        if context.get(key):
            return True
    return False


def enabled() -> bool:
    """Whether instrumentation is not suppressed in the current context."""
    context = current_context()
    return not context or not is_suppressed(context)


def suppressing(suppressed: Suppressed) -> Context:
    """Return the current context, in which all instrumentation, or that of HTTP clients or models, is suppressed."""
    return Context({**current_context(), **dict.fromkeys(_SUPPRESSED_BY[suppressed], True)})


def added_to_context(attached: Iterable[tuple[Any, Context | None]]) -> dict[str, Any]:
    """Return what contexts have that their predecessors do not have. Each is given after the token of ``attach``."""
    added: dict[str, Any] = {}
    for token, context in attached:
        if token is not None and context is not None:
            before: Any = getattr(token, "old_value", Token.MISSING)
            known = {} if before is Token.MISSING else before
            added |= {key: value for key, value in context.items() if known.get(key) is not value}
    return added


def with_added(added: Mapping[str, Any], span: Span | None) -> Context:
    """Return the current context with these entries, and with this span as the current one if there is one."""
    context = Context(current_context())
    dict.update(context, added)
    if span is not None:
        dict.__setitem__(context, SPAN_KEY, span)
    return context


def with_added_for_rules(added: Mapping[str, Any], span: Span | None) -> Context:
    """Return the same context, in which these entries do not suppress instrumentation: rules record in it."""
    context = with_added(added, span)
    for key in (*_SUPPRESSING, *_SUPPRESSING_HTTP, MODEL_CALLS_KEY):
        if key in added:
            dict.pop(context, key, None)
    return context


def detach(token: Any) -> None:
    """Restore what was current before ``attach``.

    The garbage collector closes an unfinished coroutine or generator in an arbitrary context. The token's context no
    longer exists then: there is nothing to restore, and nothing worth logging.
    """
    if type(token) is not Token:
        _detach_elsewhere(token)
        return
    try:  # noqa: SIM105  # `suppress` costs more than the whole function
        token.var.reset(token)
    except ValueError:
        pass


#: Detaches a token of another implementation of the context.
_detach_elsewhere: Callable[[Any], None] = our_own(_context.detach)


def with_span(span: Span) -> Context:
    """Return the current context with this span as the current one."""
    context = current_context()
    return Context({**context, SPAN_KEY: span} if context else {SPAN_KEY: span})


def current_span() -> Span:
    """Return the current span; an invalid one if there is none."""
    span: Any = current_context().get(SPAN_KEY)
    return span if span is not None and isinstance(span, Span) else trace.INVALID_SPAN


class Block:
    """A context that is current from now on until ``leave``, which another call makes, possibly in another task.

    Blocks may overlap. What was current before a block is restored once it and the blocks within it have ended.
    """

    __slots__ = ("_context", "_has_ended", "_token")

    def __init__(self, context: Context) -> None:
        self._has_ended = False
        # A reference cycle until the block is left.
        self._context: Context | None = _context.set_value(_BLOCK, self, context)
        self._token: Any = attach(self._context)

    def leave(self) -> None:
        """Restore what was current before. If the current context is not that of the block, another one restores it."""
        self._has_ended = True
        block: Any = self
        while isinstance(block, Block) and block._has_ended and _context.get_current() is block._context:
            block._restore()
            block._context = None
            block = _context.get_value(_BLOCK)

    def _restore(self) -> None:
        try:
            self._token.var.reset(self._token)
        except (ValueError, RuntimeError):  # this is a task that was started in the block
            before = self._token.old_value
            attach(ROOT if before is Token.MISSING else before)
        except AttributeError:  # not a token of contextvars
            _context.detach(self._token)


_BLOCK = _context.create_key("instrument-block")


def current() -> Context | None:
    """Return the current context; None if there is no current span, or it has ended (see ``current_link``)."""
    found = _current_span_context()
    return _context.get_current() if found is not None and found.is_valid else None


def current_or_ended() -> Context | None:
    """Return the current context; None if there is no current span."""
    return current_context() if current_span().get_span_context().is_valid else None


def remote(traceparent: Any, tracestate: Any = None) -> Context | None:
    """Return the context of a traceparent; None if it is missing or malformed."""
    found = _remote_span_context(traceparent, tracestate)
    return None if found is None else trace.set_span_in_context(trace.NonRecordingSpan(found))


def span_in(found: Context | None) -> Span:
    """Return the span of a context that is to be written to a field; an invalid one if there is none.

    Also invalid while instrumentation is suppressed: no context is propagated then.
    """
    return trace.get_current_span(found) if found is not None and enabled() else trace.INVALID_SPAN


def span_context(span: Span) -> SpanContext | None:
    """Return the span's context as OpenTelemetry's object; None for an invalid span."""
    found = span.get_span_context()
    return found if found.is_valid else None


def current_link(attributes: dict[str, Any]) -> Link | None:
    """Return a link to the current span; None if there is none.

    A span that has ended does not count: it is only left over in the context of a task that outlived it.
    """
    span: Any = current_context().get(SPAN_KEY)
    if span is None or not isinstance(span, Span) or getattr(span, "end_time", None) is not None:
        return None
    return link_to(span.get_span_context(), attributes)


def current_or_ended_link(attributes: dict[str, Any]) -> Link | None:
    """Return a link to the current span, also if it has ended; None if there is none."""
    return link_to(current_span().get_span_context(), attributes)


def remote_link(traceparent: Any, tracestate: Any, attributes: dict[str, Any]) -> Link | None:
    """Return a link to the span of a traceparent; None if it is missing or malformed."""
    found = _remote_span_context(traceparent, tracestate)
    return None if found is None else link_to(found, attributes)


def traceparent(span: Span) -> str | None:
    """Return the span's W3C traceparent; None for an invalid span, as without an SDK."""
    found: Any = getattr(span, "_context", None)
    if type(found) is not _TUPLE:
        found = span.get_span_context()
        trace_id, span_id, flags, is_valid = found.trace_id, found.span_id, found.trace_flags, found.is_valid
    else:  # the properties and the method of the span take longer than everything else here
        trace_id, span_id, _, flags, _, is_valid = found
    if not is_valid:
        return None
    # Quicker than formatting the numbers.
    return f"00-{trace_id.to_bytes(16, 'big').hex()}-{span_id.to_bytes(8, 'big').hex()}-{_FLAGS[flags]}"


def tracestate(span: Span) -> str | None:
    """Return the span's W3C tracestate; None if it is empty."""
    return span.get_span_context().trace_state.to_header() or None


def _current_span_context() -> SpanContext | None:
    """Return the context of the current span; None if there is none, or it has ended."""
    span: Any = current_context().get(SPAN_KEY)
    if span is None or not isinstance(span, Span) or getattr(span, "end_time", None) is not None:
        return None
    return span.get_span_context()


def _remote_span_context(traceparent: Any, tracestate: Any) -> SpanContext | None:
    text = decoded(traceparent)
    if text is None and is_carrier(traceparent):
        tracestate = header(traceparent, "tracestate") if tracestate is None else tracestate
        text = decoded(header(traceparent, "traceparent"))
    if text is None:
        return None
    carrier = {"traceparent": text}
    if (state := decoded(tracestate)) is not None:
        carrier["tracestate"] = state
    found = trace.get_current_span(_w3c.extract(carrier, ROOT)).get_span_context()
    return found if found.is_valid else None


#: Whether the constructor of a link sets only these fields.
_IS_LINK_KNOWN = [*vars(Link(trace.INVALID_SPAN_CONTEXT))] == ["_context", "_attributes"]


def link_to(target: SpanContext, attributes: Mapping[str, Any]) -> Link | None:
    """Return a link to a span; None if its context is not valid."""
    if not (target[5] if type(target) is _TUPLE else target.is_valid):
        return None
    if not _IS_LINK_KNOWN:
        return Link(target, attributes)
    link = _new(Link)
    link._context = target
    link._attributes = attributes
    return link
