"""Span types."""

from __future__ import annotations

from typing import get_args

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import NO_MARK, Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue, ShortNodeValue
from opentelemetry.instrumentation.declarative.language.nodes.attribute import SPAN_ATTRIBUTES, SpanAttribute
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import (
    SPAN_ATTRIBUTE_GROUPS,
    SpanAttributeGroup,
)
from opentelemetry.instrumentation.declarative.language.nodes.context_source import CONTEXT, ContextSource, or_current
from opentelemetry.instrumentation.declarative.language.nodes.count import COUNTS, Count
from opentelemetry.instrumentation.declarative.language.nodes.end import ENDS, End
from opentelemetry.instrumentation.declarative.language.nodes.event import Event
from opentelemetry.instrumentation.declarative.language.nodes.exception import EXCEPTION, ExceptionRule
from opentelemetry.instrumentation.declarative.language.nodes.injection import SpanInjection
from opentelemetry.instrumentation.declarative.language.nodes.sample import Sample
from opentelemetry.instrumentation.declarative.language.nodes.span_key import SpanKey
from opentelemetry.instrumentation.declarative.language.nodes.start import STARTS, Start
from opentelemetry.instrumentation.declarative.language.nodes.status import SPAN_STATUSES, SpanStatus
from opentelemetry.instrumentation.declarative.language.nodes.timestamps import Timestamps
from opentelemetry.instrumentation.declarative.language.scalar_types import Choice, Flag
from opentelemetry.instrumentation.declarative.language.texts import (
    CALLS,
    EVENT_NAME,
    EXPRESSION,
    FLAG,
    IDENTIFIER,
    LINK_KIND,
    MOMENT,
    OWNER_NAME,
    TEMPLATE,
)
from opentelemetry.instrumentation.declarative.language.values import (
    Entries,
    MarkedFlag,
    Moment,
    SpanKind,
    Text,
    literal_template,
)
from opentelemetry.instrumentation.declarative.records import record


@node(
    "span",
    "A span around one call, between two moments, or at one moment.",
    {
        "around": "shop.cart:Cart.checkout",
        "name": "checkout {self.customer.tier}",
        "attributes": {"shop.total": "result.total"},
    },
    {"start": "pay.enter", "end": "ship.exit", "key": "order.id"},
    {"at": "refund.return"},
    forms=(
        Form(
            "span around a call",
            "`around` says when the span starts and ends; `start`, `end`, `at` and `timestamps` belong to other"
            " forms of span.",
            ("start", "end", "at", "timestamps"),
        ),
        Form(
            "span at one moment",
            "`at` says when the span is recorded; `around`, `start`, `end`, `current` and `follow_result` belong to "
            "other forms of span.",
            ("follow_result", "around", "start", "end", "current"),
        ),
        Form(
            "span between two moments",
            "`start` and `end` say when the span starts and ends, with a condition as in `start: {at: "
            "..., when: ...}`; `around`, `at`, `timestamps`, `when`, `current` and `follow_result` belong to other "
            "forms of span.",
            ("follow_result", "around", "at", "timestamps", "when", "current"),
        ),
    ),
    one_of=("around", "start", "at"),
    requires={"start": ("end", "key")},
    help="Use `around` for a span around a call, `at` for a span at one moment, or `start`, `end` and `key` "
    "for a span between two moments.",
    editor={
        "defaultSnippets": [
            {
                "label": "span around a call",
                "description": "From the start of a call to its end.",
                "body": {"around": "${1:module:Class.method}", "attributes": {"${2:app.key}": "${3:result}"}},
            },
            {
                "label": "span between two moments",
                "description": "From one moment to another, found by its key.",
                "body": {"start": "${1:hook}.enter", "end": "${2:hook}.exit", "key": "${3:self.id}"},
            },
            {
                "label": "span at one moment",
                "description": "Started and ended at one moment.",
                "body": {"at": "${1:hook}.enter"},
            },
        ]
    },
)
@record(frozen=True, kw_only=True)
class SpanType(Node):
    """A span type: around a call, between moments (``starts`` and ``ends``), or at one moment (``at``)."""

    around: Text | None = yaml_key(
        CALLS,
        "hook name, target or pattern",
        "The calls that the span covers: the name of a hook, a callable, or a pattern as in `call`.",
        "shop.cart:Cart.checkout",
        "checkout",
        "shop.services.*:*Service.*",
    )
    follow_result: MarkedFlag | None = yaml_key(
        Flag(marked=True),
        "follow the result",
        "Whether the span lasts until the result has finished: a stream has been read, a block left, a "
        "future has its value. By default only results are followed that are of no use otherwise, such as"
        " a coroutine or a generator.",
        True,
    )
    current: bool = yaml_key(
        FLAG,
        "current span",
        "Whether the span around a call is the current span during the call. If it is not, spans that start in the call"
        " have the same parent as this one.",
        False,
        default=True,
        absent=True,
    )
    starts: tuple[Start, ...] = yaml_key(STARTS, yaml="start")
    ends: tuple[End, ...] = yaml_key(ENDS, yaml="end")
    at: Moment | None = yaml_key(
        MOMENT, "moment", "When the span is recorded. It starts and ends at this moment.", "refund.return"
    )
    timestamps: Timestamps = yaml_key(
        NodeValue(Timestamps),
        "timestamps",
        "Start and end times that the library provides, in nanoseconds since the epoch. By default the current time.",
        {"start": "iso(order.ordered_at)", "end": "iso(order.paid_at)"},
        absent=Timestamps(mark=NO_MARK),
    )
    template: Text | None = yaml_key(
        TEMPLATE,
        "span name",
        "The recorded name, with expressions in braces. By default it is the span type.",
        "checkout {self.customer.tier}",
        yaml="name",
        read="start or end",
        phrase="the name",
        missing="is incomplete",
    )
    kind: SpanKind = yaml_key(
        Choice(get_args(SpanKind)),
        "span kind",
        "The OpenTelemetry kind of the span.",
        "client",
        default="internal",
        absent="internal",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true are recorded. It is evaluated before the call, or at"
        " the moment of a span at one moment.",
        "order.total > 0",
        default="True",
        read="call",
    )
    parents: tuple[ContextSource, ...] = yaml_key(
        CONTEXT,
        "parent",
        "The parent of the span.",
        "none",
        {"traceparent": "order.traceparent"},
        default="current",
        yaml="parent",
        read="start",
        missing="is never found",
    )
    found_by: SpanKey | None = yaml_key(ShortNodeValue(SpanKey, "value"), yaml="key", read="start")
    sample: Sample | None = yaml_key(NodeValue(Sample))
    inject: SpanInjection = yaml_key(
        NodeValue(SpanInjection),
        "injection",
        "The fields that receive the trace context of the span when it starts. By default nothing is written.",
        {"traceparent": 'message.headers["traceparent"]'},
        absent=SpanInjection(mark=NO_MARK),
        read="start",
    )
    links: Entries[tuple[ContextSource, ...]] = yaml_key(
        MapOf(LINK_KIND, CONTEXT),
        "links",
        "Links to other spans, by link kind.",
        {"ordered_by": {"span": "checkout", "key": "order.id"}, "triggered_by": "current"},
        default={},
        read="start",
        phrase="a link",
        missing="is never recorded",
    )
    attributes: tuple[SpanAttribute, ...] = yaml_key(
        SPAN_ATTRIBUTES,
        "attributes",
        "The attributes of the span, by key.",
        {"shop.total": "result.total", "gen_ai.operation.name": {"const": "chat"}},
        default={},
        read="start or end",
        missing="is never recorded",
    )
    attribute_groups: tuple[SpanAttributeGroup, ...] = yaml_key(SPAN_ATTRIBUTE_GROUPS, default={}, read="start or end")
    events: tuple[Event, ...] = yaml_key(
        MapOf(EVENT_NAME, NodeValue(Event), by_name=False),
        "events",
        "The events of the span, by name.",
        {"paid": {"at": "pay.return", "key": "order.id"}},
        default={},
    )
    counts: tuple[Count, ...] = yaml_key(
        MapOf(IDENTIFIER, COUNTS, by_name=False),
        "counts",
        "Numbers of things that happen while the span is open, by the name that expressions at its end use.",
        {"retries": {"at": "retry.enter"}},
        default={},
    )
    exception: ExceptionRule = yaml_key(EXCEPTION, absent=ExceptionRule(mark=NO_MARK), read="end")
    statuses: tuple[SpanStatus, ...] = yaml_key(SPAN_STATUSES, yaml="status", read="end", missing="is never set")
    owner: Text | None = yaml_key(
        OWNER_NAME,
        "owner",
        "The name of the owner that the span belongs to. When the owner is closed, the span ends if it is open, and the"
        " sink of the owner receives the ended span. By default there is none.",
        "cart",
        read="start",
    )

    @property
    def key(self) -> Text | None:
        """The expression of the key."""
        return self.found_by.value if self.found_by else None

    @property
    def lookup(self) -> SpanKey:
        """How the spans of the type are found, and how many of them are kept."""
        return self.found_by or SpanKey(mark=NO_MARK)

    @property
    def parent_sources(self) -> tuple[ContextSource, ...]:
        return or_current(self.parents, self.mark)

    @property
    def recorded_name(self) -> Text:
        """The template for the name."""
        return self.template or literal_template(self.name, self.mark)
