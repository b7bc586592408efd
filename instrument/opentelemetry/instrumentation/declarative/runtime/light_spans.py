"""Light spans: spans of the SDK that are built quickly.

A light span is a span of the SDK's class, with its methods. It differs in how it comes into being: what all spans of a
type have in common is copied, attributes that are clean are not cleaned again, and the lists of events and links are
made when they are needed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, Tracer, _Span
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import INVALID_SPAN_CONTEXT, Link, SpanKind

_new = object.__new__
#: The fields that all spans of a type have in common, in the order in which ``start_fields`` sets them.
_COMMON_FIELDS = (
    "_kind",
    "_instrumentation_info",
    "_instrumentation_scope",
    "_start_time",
    "_end_time",
    "_resource",
    "_status",
    "_sampler",
    "_trace_config",
    "_record_exception",
    "_set_status_on_exception",
    "_span_processor",
    "_limits",
    "_record_end_metrics",
)


class LightSpan(_Span):
    """A span of the SDK whose lists of events and links are made when they are first used.

    Its fields are set one by one, never through ``__dict__``: Python then needs no dictionary for them.
    """

    _has_events = _has_links = False

    def __getattr__(self, name: str) -> Any:
        if name == "_events":
            made = self.__dict__.setdefault(name, self._new_events())  # type: ignore[no-untyped-call]
            self._has_events = True
        elif name == "_links":
            made = self.__dict__.setdefault(name, self._new_links(()))
            self._has_links = True
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        return made

    def __repr__(self) -> str:
        return f'{_Span.__name__}(name="{self._name}", context={self._context})'

    @property
    def events(self) -> Sequence[Event]:
        return super().events if self._has_events else ()

    @property
    def links(self) -> Sequence[Link]:
        return super().links if self._has_links else ()

    def ended_fields(self) -> tuple[Any, ...]:
        """The context, parent, status, kind, name, times, attributes, events and links of a span that has ended.

        They are not copies: nothing changes an ended span.
        """
        span: Any = self
        return (
            span._context,
            span._parent,
            span._status,
            span._kind,
            span._name,
            span._start_time,
            span._end_time,
            span._attributes._dict,
            span.events,
            span._links._dq if span._has_links else (),
        )

    def _readable_span(self) -> ReadableSpan:
        readable = _new(ReadableSpan)
        readable._name = self._name
        readable._context = self._context
        readable._kind = self._kind
        readable._instrumentation_info = self._instrumentation_info
        readable._instrumentation_scope = self._instrumentation_scope
        readable._parent = self._parent
        readable._start_time = self._start_time
        readable._end_time = self._end_time
        readable._attributes = self._attributes
        readable._events = self._events if self._has_events else ()
        readable._links = self._links if self._has_links else ()
        readable._resource = self._resource
        readable._status = self._status
        return readable


def common_values(tracer: Tracer, kind: SpanKind) -> tuple[Any, ...]:
    """The values of the fields that all spans of a kind of a tracer have in common."""
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
    # Older releases do not have the last one.
    return tuple(vars(span).get(name) for name in _COMMON_FIELDS)


def start_fields(
    span: LightSpan, name: str, attributes: BoundedAttributes, links: BoundedList[Link] | None, common: tuple[Any, ...]
) -> None:
    """Set the fields of a span that has a context and a parent."""
    (
        span._kind,
        span._instrumentation_info,
        span._instrumentation_scope,
        span._start_time,
        span._end_time,
        span._resource,
        span._status,
        span._sampler,
        span._trace_config,
        span._record_exception,
        span._set_status_on_exception,
        span._span_processor,
        span._limits,
        span._record_end_metrics,
    ) = common
    span._name = name
    span._lock = threading.Lock()
    span._attributes = attributes
    if links is not None:
        span._links = links
        span._has_links = True


class CleanAttributes:
    """Makes the SDK's object for the attributes of a span from attributes that are clean."""

    def __init__(self, limits: SpanLimits) -> None:
        self._most = limits.max_span_attributes
        self._longest = limits.max_span_attribute_length
        empty = BoundedAttributes(self._most, None, immutable=False, max_value_len=self._longest)
        # Reentrant in older releases, which also have another field.
        self._new_lock: Any = threading.RLock if hasattr(empty._lock, "_is_owned") else threading.Lock
        self._is_older = hasattr(empty, "_extended_attributes")
        self._quick_to = 0 if self._longest is not None else 1_000_000 if self._most is None else self._most

    def __call__(self, attributes: dict[str, Any]) -> BoundedAttributes:
        if len(attributes) > self._quick_to or "" in attributes:
            return BoundedAttributes(self._most, attributes, immutable=False, max_value_len=self._longest)
        bounded = _new(BoundedAttributes)
        bounded.maxlen = self._most
        bounded.dropped = 0
        bounded.max_value_len = self._longest
        if self._is_older:
            bounded._extended_attributes = False  # type: ignore[attr-defined]
        bounded._dict = attributes
        bounded._lock = self._new_lock()
        bounded._immutable = False
        return bounded


#: Link attributes that are kept. They are constants of the spec: there is one for each kind of link.
_MOST_KINDS = 100


class ValidLinks:
    """Makes the SDK's list of the links of a span from links that are valid."""

    def __init__(self, limits: SpanLimits) -> None:
        self._most = limits.max_links
        self._most_attributes = limits.max_link_attributes
        self._longest = limits.max_attribute_length
        #: By the identity of the attributes, which are kept alive.
        self._kinds: dict[int, tuple[Any, BoundedAttributes]] = {}

    def __call__(self, links: Sequence[Link]) -> BoundedList[Link]:
        for link in links:
            link._attributes = self._clean(link.attributes)
        if self._most is not None and len(links) > self._most:
            return BoundedList.from_seq(self._most, links)
        bounded: Any = _new(BoundedList)
        bounded.dropped = 0
        bounded._dq = deque(links, self._most)
        bounded._lock = threading.Lock()
        return bounded  # type: ignore[no-any-return]

    def _clean(self, attributes: Any) -> BoundedAttributes:
        """The attributes as the SDK keeps them. They cannot be changed, so all links of a kind share them."""
        known = self._kinds.get(id(attributes))
        if known is not None:
            return known[1]
        cleaned = BoundedAttributes(self._most_attributes, attributes, immutable=True, max_value_len=self._longest)
        if len(self._kinds) < _MOST_KINDS:
            self._kinds[id(attributes)] = attributes, cleaned
        return cleaned
