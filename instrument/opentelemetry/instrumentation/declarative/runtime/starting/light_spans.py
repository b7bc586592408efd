"""Light spans: spans of the SDK that are built quickly.

A light span is a span of the SDK's class, with its methods. It differs in how it comes into being: what all spans of a
type have in common is copied, attributes that are clean are not cleaned again, and the lists of events and links are
made when something is added to them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, ItemsView, KeysView, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.runtime.starting.on_demand import OnDemand
from opentelemetry.instrumentation.declarative.runtime.starting.sdk_spans import unlimited_attributes
from opentelemetry.sdk import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Tracer, _Span
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import INVALID_SPAN_CONTEXT, Link, Span, SpanKind
from opentelemetry.util import types

_new = object.__new__
_sdk_trace: Any = trace
#: The fields that all spans of a type have in common, in the order in which ``SpanStart`` sets them.
_COMMON_FIELDS = (
    "_kind",
    "_instrumentation_info",
    "_instrumentation_scope",
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


def _new_events(span: Any) -> Any:
    span._has_events = True
    return span._new_events()


def _new_links(span: Any) -> Any:
    span._has_links = True
    return BoundedList.from_seq(span._limits.max_links, span._first_links)


class LightSpan(_Span):
    """A span of the SDK whose lists of events and links are made when something is added to them.

    Its fields are set one by one, never through ``__dict__``: Python then needs no dictionary for them.
    """

    _has_events = _has_links = False
    #: The links with which it has started. They are valid.
    _first_links: Sequence[Link] = ()

    _events: Any = OnDemand(_new_events)
    _links: Any = OnDemand(_new_links)

    def __repr__(self) -> str:
        return f'{_Span.__name__}(name="{self._name}", context={self._context})'

    @property
    def events(self) -> Sequence[Event]:
        return super().events if self._has_events else ()

    @property
    def links(self) -> Sequence[Link]:
        return super().links if self._has_links else tuple(self._first_links)

    def ended_fields(self) -> tuple[Any, ...]:
        """The ids, the id of the parent, status, kind, name, times, attributes, events and links of an ended span.

        They are not copies: nothing changes an ended span.
        """
        span: Any = self
        return (
            span._context[0],
            span._context[1],
            None if span._parent is None else span._parent[1],
            span._status,
            span._kind,
            span._name,
            span._start_time,
            span._end_time,
            span._attributes._dict,
            span.events if span._has_events else (),
            span._links._dq if span._has_links else span._first_links,
        )

    def _readable_span(self) -> ReadableSpan:
        readable = _new(LightReadableSpan)
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
        readable._links = self._links if self._has_links else self._first_links
        readable._resource = self._resource
        readable._status = self._status
        return readable


class LightReadableSpan(ReadableSpan):
    """What exporters receive of a light span. The properties of the SDK ask for classes, which takes longer."""

    @property
    def attributes(self) -> types.Attributes:
        found = self._attributes
        return MappingProxyType(found._dict) if type(found) is LightAttributes else super().attributes

    @property
    def dropped_attributes(self) -> int:
        found = self._attributes
        return found.dropped if type(found) is LightAttributes else super().dropped_attributes

    @property
    def dropped_events(self) -> int:
        return 0 if type(self._events) is tuple else super().dropped_events

    @property
    def dropped_links(self) -> int:
        return 0 if type(self._links) is tuple else super().dropped_links


class LightAttributes(BoundedAttributes):
    """The SDK's object for the attributes of a span, which is made from attributes that are clean.

    Its lock is made when something is changed. Once the span has ended, it is as fast to iterate over as a dict.
    """

    dropped = 0
    _immutable = False
    _extended_attributes = False  # a field of older releases

    _lock: Any = OnDemand(lambda _: _NewLock())

    def keys(self) -> KeysView[str]:
        return self._dict.keys() if self._immutable else super().keys()

    def items(self) -> ItemsView[str, Any]:
        return self._dict.items() if self._immutable else super().items()


class LightResource(Resource):
    """A resource of the SDK whose hash is computed once. Exporters need it for each span; the SDK takes it from JSON.

    The resource of a tracer becomes one, so that spans have the object that their tracer provider has. A copy is a
    resource of the SDK.
    """

    _known_hash: int

    def __hash__(self) -> int:
        return self._known_hash

    def __reduce__(self) -> Any:
        return Resource, (dict(self.attributes), self.schema_url)


def _light_resource(resource: Any) -> Any:
    """The resource, with a quick hash unless its structure is unknown or it has no hash."""
    if type(resource) is Resource and {*vars(resource)} == {"_attributes", "_schema_url"}:
        with suppress(Exception):
            resource._known_hash = hash(resource)  # type: ignore[attr-defined]
            resource.__class__ = LightResource
    return resource


#: Reentrant in older releases.
_NewLock: Any = threading.RLock if hasattr(BoundedAttributes()._lock, "_is_owned") else threading.Lock

#: Link attributes that are kept. They are constants of the spec: there is one for each kind of link.
_MOST_KINDS = 100


class SpanStart:
    """Starts the light spans of a kind with a tracer. ``otherwise`` starts what is not a light span."""

    def __init__(self, tracer: Tracer, kind: SpanKind, otherwise: Callable[..., Span]) -> None:
        self._otherwise = otherwise
        self._tracer = tracer
        self._span_kind = kind
        self._common = self._read_tracer()
        limits = tracer._span_limits
        self._limits = limits
        self._most = limits.max_span_attributes
        self._longest = limits.max_span_attribute_length
        self._unlimited = unlimited_attributes(limits)
        self._most_links = 1_000_000 if limits.max_links is None else limits.max_links
        #: The attributes of links by the identity of those of the spec, which are kept alive.
        self._link_attributes: dict[int, tuple[Any, BoundedAttributes]] = {}

    def _read_tracer(self) -> tuple[Any, ...]:
        """The values of the fields that all spans have in common."""
        tracer = self._tracer
        span = _Span(
            "",
            INVALID_SPAN_CONTEXT,
            sampler=tracer.sampler,
            resource=_light_resource(tracer.resource),
            kind=self._span_kind,
            span_processor=tracer.span_processor,
            instrumentation_info=tracer.instrumentation_info,
            limits=tracer._span_limits,
            instrumentation_scope=tracer._instrumentation_scope,
        )
        # Older releases do not have the last one.
        return tuple(vars(span).get(name) for name in _COMMON_FIELDS)

    def __call__(
        self,
        span: Span | None,
        name: str,
        attributes: dict[str, Any],
        parent: Context | None,
        links: Sequence[Link],
        start_time: int | None,
    ) -> Span:
        """Start a span that has a context and a parent. The attributes are clean, and the links are valid."""
        if type(span) is not LightSpan:
            return self._otherwise(span, name, attributes, parent, links, start_time)
        (
            span._kind,
            span._instrumentation_info,
            span._instrumentation_scope,
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
        ) = self._common
        tracer = self._tracer
        # The resource changes after a fork.
        if tracer.resource is not span._resource or tracer.span_processor is not span._span_processor:
            span._resource, span._span_processor = _light_resource(tracer.resource), tracer.span_processor
            self._common = self._read_tracer()
        span._name = name
        span._lock = threading.Lock()
        if len(attributes) > self._unlimited or "" in attributes:
            span._attributes = BoundedAttributes(self._most, attributes, immutable=False, max_value_len=self._longest)
        else:
            span._attributes = bounded = _new(LightAttributes)
            bounded.maxlen = self._most
            bounded.max_value_len = self._longest
            bounded._dict = attributes
        if links:
            for link in links:
                known = self._link_attributes.get(id(link._attributes))
                link._attributes = self._limited(link._attributes) if known is None else known[1]
            span._first_links = links
            if len(links) > self._most_links:
                span._links = BoundedList.from_seq(self._most_links, links)
                span._has_links = True
        span._start_time = _sdk_trace.time_ns() if start_time is None else start_time
        span._span_processor.on_start(span, parent_context=parent)
        return span

    def _limited(self, attributes: Any) -> BoundedAttributes:
        """The attributes of a link as the SDK keeps them. They cannot be changed, so all links of a kind share them."""
        limits = self._limits
        limited = BoundedAttributes(
            limits.max_link_attributes, attributes, immutable=True, max_value_len=limits.max_attribute_length
        )
        if len(self._link_attributes) < _MOST_KINDS:
            self._link_attributes[id(attributes)] = attributes, limited
            self._link_attributes[id(limited)] = limited, limited  # of a link that several spans have
        return limited
