"""Attributes and a status that are set while a span is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.nodes.attribute import ATTRIBUTES, Attribute
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.nodes.span_of_call import SPAN_OF_CALL
from opentelemetry.instrumentation.declarative.language.nodes.status import STATUSES, Status
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Moment, SpanOfCall, Text


@node(
    "update",
    "Attributes that are added to an open span at a moment between its start and its end.",
    {"at": "pay.return", "attributes": {"shop.card": "card.kind"}},
    required=("at",),
    one_of=("attributes", "status"),
    help="Name the moment with `at`, and what is set with `attributes` or `status`.",
)
@dataclass(frozen=True, kw_only=True)
class Update(Node):
    """Attributes and a status that the span of the type that it is under is given."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true update the span. It can use the names that are "
        "available at the moment.",
        "order.total > 100",
        default="True",
    )
    key: Text | None = yaml_key(
        EXPRESSION,
        "key",
        "The key of the span, if this moment needs another expression for it. By default the `key` of the"
        " span is evaluated.",
        "payment.order_id",
    )
    attributes: tuple[Attribute, ...] = yaml_key(
        ATTRIBUTES,
        "attributes",
        "The attributes that are added to the span, by key.",
        {"shop.card": "card.kind"},
        default={},
    )
    statuses: tuple[Status, ...] = yaml_key(
        STATUSES,
        "status",
        "The status that the span is given at this moment. A later one replaces it, except for OK. By "
        "default it is not changed.",
        {"error": "result.problem"},
        yaml="status",
    )
    of: ClassVar[SpanOfCall] = "current"


@node(
    "update of the current span",
    "Attributes that are added to the current span. No span is started.",
    {"at": "pay.enter", "attributes": {"shop.order": "order.id"}},
    definition="current_update",
    required=("at",),
    one_of=("attributes", "status"),
    help="Name the moment with `at`, and what is set with `attributes` or `status`.",
)
@dataclass(frozen=True, kw_only=True)
class CurrentUpdate(Node):
    """Attributes and a status that a span of the call is given."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true update the span. It can use the names that are "
        "available at the moment.",
        "order.total > 100",
        default="True",
    )
    attributes: tuple[Attribute, ...] = yaml_key(
        ATTRIBUTES,
        "attributes",
        "The attributes that are added to the span, by key.",
        {"shop.order": "order.id"},
        default={},
    )
    of: SpanOfCall = yaml_key(
        SPAN_OF_CALL,
        default="current",
        absent="current",
    )
    statuses: tuple[Status, ...] = yaml_key(
        STATUSES,
        "status",
        "The status that the span is given at this moment. A later one replaces it, except for OK. By "
        "default it is not changed.",
        {"error": "result.problem"},
        yaml="status",
    )
    key: ClassVar[None] = None
