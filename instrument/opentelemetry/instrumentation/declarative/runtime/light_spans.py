"""Light spans: spans of the SDK that are built quickly.

A light span is a span of the SDK's class, with its methods. It differs in how it comes into being: what all spans of a
type have in common is copied, attributes that are clean are not cleaned again, and the lists of events and links are
made when they are needed.
"""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, Tracer, _Span
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanKind

#: What each span has of its own.
_OWN_FIELDS = ("_name", "_context", "_parent", "_attributes", "_events", "_links", "_lock")
_new = object.__new__


class LightSpan(_Span):
    """A span of the SDK whose lists of events and links are made when they are first used."""

    def __getattr__(self, name: str) -> Any:
        if name == "_events":
            return self.__dict__.setdefault(name, self._new_events())  # type: ignore[no-untyped-call]
        if name == "_links":
            return self.__dict__.setdefault(name, self._new_links(()))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        return f'{_Span.__name__}(name="{self._name}", context={self._context})'

    def _readable_span(self) -> ReadableSpan:
        fields = self.__dict__
        readable = _new(ReadableSpan)
        readable.__dict__ = {
            "_name": fields["_name"],
            "_context": fields["_context"],
            "_kind": fields["_kind"],
            "_instrumentation_info": fields["_instrumentation_info"],
            "_instrumentation_scope": fields["_instrumentation_scope"],
            "_parent": fields["_parent"],
            "_start_time": fields["_start_time"],
            "_end_time": fields["_end_time"],
            "_attributes": fields["_attributes"],
            "_events": fields.get("_events", ()),
            "_links": fields.get("_links", ()),
            "_resource": fields["_resource"],
            "_status": fields["_status"],
        }
        return readable


def span_template(tracer: Tracer, kind: SpanKind) -> dict[str, Any]:
    """What the spans of a kind of a tracer have in common."""
    span = _Span(
        "",
        INVALID_SPAN_CONTEXT,
        sampler=tracer.sampler,
        resource=tracer.resource,
        kind=kind,
        span_processor=tracer.span_processor,
        instrumentation_info=tracer.instrumentation_info,
        limits=tracer._span_limits,
        instrumentation_scope=tracer._instrumentation_scope,
    )
    return {name: value for name, value in vars(span).items() if name not in _OWN_FIELDS}


class CleanAttributes:
    """Makes the SDK's object for the attributes of a span from attributes that are clean."""

    def __init__(self, limits: SpanLimits) -> None:
        self._most = limits.max_span_attributes
        self._longest = limits.max_span_attribute_length
        empty = BoundedAttributes(self._most, None, immutable=False, max_value_len=self._longest)
        self._template = vars(empty)
        # Reentrant in older releases.
        self._new_lock: Any = threading.RLock if hasattr(empty._lock, "_is_owned") else threading.Lock
        self._quick_to = 0 if self._longest is not None else 1_000_000 if self._most is None else self._most

    def __call__(self, attributes: dict[str, Any]) -> BoundedAttributes:
        if len(attributes) > self._quick_to or "" in attributes:
            return BoundedAttributes(self._most, attributes, immutable=False, max_value_len=self._longest)
        bounded = _new(BoundedAttributes)
        bounded.__dict__ = fields = self._template.copy()
        fields["_dict"] = attributes
        fields["_lock"] = self._new_lock()
        return bounded
