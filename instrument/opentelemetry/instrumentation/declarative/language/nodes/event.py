"""Events on spans."""

from __future__ import annotations

from typing import ClassVar

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.nodes.attribute import ATTRIBUTES, Attribute
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import ATTRIBUTE_GROUPS, AttributeGroup
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.nodes.open_span import OnOpenSpan
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, TEMPLATE
from opentelemetry.instrumentation.declarative.language.values import Moment, Text, literal_template
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
class AnyEvent(Node):
    """The keys that all events have."""

    at: tuple[Moment, ...] = yaml_key(MOMENTS)
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true record the event. It can use the names that are "
        "available at the moment.",
        "order.total > 100",
        default="True",
        read="moment",
    )
    template: Text | None = yaml_key(
        TEMPLATE,
        "event name",
        "The recorded name, with expressions in braces. By default it is the key of the event.",
        "paid by {card.kind}",
        yaml="name",
        read="moment",
        phrase="the name",
        missing="is incomplete",
    )
    attributes: tuple[Attribute, ...] = yaml_key(
        ATTRIBUTES, "attributes", "The attributes of the event, by key.", {"shop.amount": "result.amount"}, default={}
    )
    attribute_groups: tuple[AttributeGroup, ...] = yaml_key(ATTRIBUTE_GROUPS, default={})

    @property
    def recorded_name(self) -> Text:
        """The template for the name."""
        return self.template or literal_template(self.name, self.mark)


@node(
    "event",
    "Something that happens while a span is open. It is recorded on the span, with its time.",
    {"at": "pay.return", "key": "order.id"},
    required=("at",),
    help="Name the moment with `at`.",
)
@record(frozen=True, kw_only=True)
class Event(AnyEvent, OnOpenSpan):
    """An event on the span of the type that it is under, found by its key."""

    once: bool = yaml_key(
        FLAG,
        "once flag",
        "Whether the event is recorded only the first time for each span, such as for the first part of a response.",
        True,
        default=False,
    )


@node(
    "event of the current span",
    "Something that is recorded as an event on the current span. It has no key.",
    {"at": "pay.return", "attributes": {"shop.amount": "result.amount"}},
    definition="current_event",
    required=("at",),
    help="Name the moment with `at`.",
)
@record(frozen=True, kw_only=True)
class CurrentEvent(AnyEvent):
    """An event on a span of the call."""

    key: ClassVar[None] = None
    once: ClassVar[bool] = False
