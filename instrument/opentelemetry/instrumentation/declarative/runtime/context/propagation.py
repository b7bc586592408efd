"""Trace context and baggage in carriers of any form, read and written by the configured propagators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.expressions.headers import decoded
from opentelemetry.instrumentation.declarative.expressions.operators import header
from opentelemetry.instrumentation.declarative.expressions.type_facts import type_title
from opentelemetry.instrumentation.declarative.runtime.context.current import (
    attach,
    current_context,
    enabled,
    with_span,
)
from opentelemetry.instrumentation.declarative.runtime.context.trace_context import remote
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Link

_baggage = W3CBaggagePropagator()


class _FieldGetter(Getter[Any]):
    """Reads the fields of carriers, whatever their form. ``HTTP_X`` of WSGI stands for ``x``."""

    def get(self, carrier: Any, key: str) -> list[str] | None:
        found = header(carrier, key)
        if found is None and isinstance(carrier, dict):
            found = carrier.get(f"HTTP_{key.upper().replace('-', '_')}")
        if found is None and not hasattr(type(carrier), "__getitem__") and hasattr(type(carrier), "get"):
            found = carrier.get(key)
        text = decoded(found)
        if text is None and isinstance(found, (list, tuple)):
            return [each for value in found if (each := decoded(value)) is not None] or None
        return None if text is None else [text]

    def keys(self, carrier: Any) -> list[str]:
        names = getattr(type(carrier), "keys", None)
        entries = names(carrier) if names is not None else (pair[0] for pair in carrier if len(pair) == 2)
        return [name for entry in entries if (name := decoded(entry)) is not None]


_getter = _FieldGetter()


def context_of_carrier(carrier: Any) -> Context | None:
    """Return the current context with the span and baggage of a carrier; None if there is no span in it."""
    if carrier is None:
        return None
    found = propagate.extract(carrier, with_span(trace.INVALID_SPAN), _getter)
    return found if trace.get_current_span(found).get_span_context().is_valid else None


def link_of_carrier(carrier: Any, attributes: Mapping[str, Any]) -> Link | None:
    """Return a link to the span in a carrier; None if there is none."""
    found = context_of_carrier(carrier)
    return None if found is None else Link(trace.get_current_span(found).get_span_context(), attributes)


def context_of_call(carrier: Any) -> Context | None:
    """Return the current context with all that a carrier has, such as baggage; None if it has nothing."""
    if carrier is None:
        return None
    before = current_context()
    found = propagate.extract(carrier, before, _getter)
    return None if found == before else found


def context_of_fields(traceparent: Any, tracestate: Any, baggage: Any) -> Context | None:
    """Return the current context with the span and the baggage in W3C fields; None if they have nothing."""
    found = remote(traceparent, tracestate)
    text = decoded(baggage)
    return _baggage.extract({"baggage": text}, found) if text else found


def attach_for_call(found: Context | None) -> Any:
    """Make a context current; return the token with which it is detached. None if there is none, or while suppressed.

    The context has everything of the current one, so that values of other tools remain.
    """
    return attach(found) if found is not None and enabled() else None


def current_to_inject() -> Context:
    """Return the current context, without its span if that has ended."""
    span = trace.get_current_span()
    return with_span(trace.INVALID_SPAN) if getattr(span, "end_time", None) is not None else current_context()


def injected_fields(context: Context | None) -> dict[str, str]:
    """Return the fields that the configured propagators write for a context; none while suppressed."""
    fields: dict[str, str] = {}
    if context is not None and enabled():
        propagate.inject(fields, context)
    return fields


def injected_baggage(context: Context | None) -> str | None:
    """Return the W3C baggage of a context; None if it has none."""
    fields: dict[str, str] = {}
    if context is not None and enabled():
        _baggage.inject(fields, context)
    return fields.get("baggage")


def check_written(carrier: Any, written: Any) -> None:
    """Raise TypeError if what has been written to is not the carrier that the program has."""
    if written is not carrier:
        kind = type_title(type(carrier))
        raise TypeError(
            f"the trace context cannot be written to an object of type {kind}: its items cannot be set, and it is "
            "neither a field nor a parameter that could be replaced"
        )
