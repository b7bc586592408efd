"""Additions to spans that exist already, whichever instrumentation has started them."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import NO_MARK, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.attribute import CURRENT_ATTRIBUTES, CurrentAttribute
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import (
    CURRENT_ATTRIBUTE_GROUPS,
    CurrentAttributeGroup,
)
from opentelemetry.instrumentation.declarative.language.nodes.current_link import CurrentLink
from opentelemetry.instrumentation.declarative.language.nodes.event import CurrentEvent
from opentelemetry.instrumentation.declarative.language.nodes.status import CURRENT_STATUSES, CurrentStatus
from opentelemetry.instrumentation.declarative.language.texts import EVENT_NAME, LINK_KIND
from opentelemetry.instrumentation.declarative.language.values import SpanOfCall
from opentelemetry.instrumentation.declarative.records import record


@node(
    "enrichment",
    "What is recorded on a span that exists already, whichever instrumentation has started it, each at a moment.",
    {"attributes": {"shop.order": {"value": "order.id", "at": "pay.enter"}}},
    {"status": {"at": "pay.raise", "error": "str(error)"}},
)
@record(frozen=True, kw_only=True)
class Enrichment(Node):
    """The additions to one of the spans of a call."""

    attributes: tuple[CurrentAttribute, ...] = yaml_key(
        CURRENT_ATTRIBUTES,
        "attributes",
        "Attributes that are set on the span at a moment, by key.",
        {"shop.order": {"value": "order.id", "at": "pay.enter"}},
        default={},
    )
    attribute_groups: tuple[CurrentAttributeGroup, ...] = yaml_key(CURRENT_ATTRIBUTE_GROUPS, default={})
    events: tuple[CurrentEvent, ...] = yaml_key(
        MapOf(EVENT_NAME, NodeValue(CurrentEvent), by_name=False),
        "events",
        "Events that are added to the span, by name.",
        {"cart_emptied": {"at": "empty.return"}},
        default={},
    )
    links: tuple[CurrentLink, ...] = yaml_key(
        MapOf(LINK_KIND, NodeValue(CurrentLink), by_name=False),
        "links",
        "Links that are added to the span at a moment, by link kind.",
        {"orders": {"at": "pay.enter", "to": {"span": "order", "key": "order.id"}}},
        default={},
    )
    statuses: tuple[CurrentStatus, ...] = yaml_key(CURRENT_STATUSES, yaml="status")


_NOTHING = Enrichment(mark=NO_MARK)


@node(
    "enriched spans",
    "Spans that exist already and that the spec adds to. They may come from other instrumentations, or from the "
    "program itself. Nothing happens if there is no such span.",
    {"current": {"attributes": {"shop.order": {"value": "order.id", "at": "pay.enter"}}}},
    {"root": {"status": {"at": "pay.raise", "error": "str(error)"}}},
)
@record(frozen=True, kw_only=True)
class EnrichedSpans(Node):
    """The additions to each of the spans of a call."""

    current: Enrichment = yaml_key(
        NodeValue(Enrichment),
        "current span",
        "The span that is current at the moment. If the call has a span of its own, it is that one.",
        {"events": {"cart_emptied": {"at": "empty.return"}}},
        default={},
        absent=_NOTHING,
    )
    parent: Enrichment = yaml_key(
        NodeValue(Enrichment),
        "parent span",
        "The span that was current before the call, outside the spans that this spec puts around the call.",
        {"events": {"cart_emptied": {"at": "empty.return"}}},
        default={},
        absent=_NOTHING,
    )
    root: Enrichment = yaml_key(
        NodeValue(Enrichment),
        "local root span",
        "The first span of the trace in this process, for example that of the HTTP request.",
        {"attributes": {"shop.order": {"value": "order.id", "at": "pay.enter"}}},
        default={},
        absent=_NOTHING,
    )

    def __iter__(self) -> Iterator[tuple[SpanOfCall, Enrichment]]:
        yield "current", self.current
        yield "parent", self.parent
        yield "root", self.root
