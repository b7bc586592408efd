"""The current context: its span and other values, attaching and detaching, and suppressed instrumentation."""

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
from opentelemetry.instrumentation.declarative.language.values import Suppressed
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import our_own
from opentelemetry.instrumentation.utils import suppress_http_instrumentation, suppress_instrumentation
from opentelemetry.trace import Span

#: An empty context: a span started in it is the root of its own trace.
ROOT = Context()


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
