"""Groups of attributes that have a condition or a moment in common."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.attribute import ATTRIBUTES, OMIT, Attribute, Omit
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.nodes.open_span import OnOpenSpan
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, NAME, TEMPLATE
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "attribute group",
    "Attributes with a condition in common.",
    {"when": '"${SHOP_VERSION:-}" == "2"', "attributes": {"shop.order.id": "order.id"}},
    required=("attributes",),
    help="Write the attributes under `attributes`.",
)
@record(frozen=True, kw_only=True)
class AttributeGroup(Node):
    """Attributes that are recorded if a condition is true."""

    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "The attributes of the group are only recorded if this condition is true. A condition that uses no names, "
        "only fixed values and functions, is decided once, and not at each call.",
        "order.is_gift",
        default="True",
        read="rule",
    )
    omit: Omit | None = yaml_key(OMIT)
    attributes: tuple[Attribute, ...] = yaml_key(
        ATTRIBUTES, "attributes", "The attributes of the group, by key.", {"shop.order.id": "order.id"}
    )


#: The type, title, documentation and example of a name that an open span gets.
SPAN_NAME = (
    TEMPLATE,
    "new span name",
    "The name that the span has from this moment on, with expressions in braces. By default the name does not change.",
    "{request.method} {route}",
)


@node(
    "attribute group",
    "Attributes of a span with a condition or a moment in common.",
    {"at": "pay.return", "attributes": {"shop.card": "card.kind"}},
    definition="span_attribute_group",
    one_of=("attributes", "name"),
    requires={"key": ("at",), "name": ("at",)},
    help="Write the attributes under `attributes`, or a name under `name` and its moment under `at`.",
)
@record(frozen=True, kw_only=True)
class SpanAttributeGroup(AttributeGroup, OnOpenSpan):
    """Attributes of a span that are recorded with it or, with ``at``, set while it is open."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
        "moment",
        "When the attributes are set on the open span: a moment, or a list of moments. By default each is set when "
        "the span starts or, if its names are only available then, when it ends.",
        "pay.return",
        ["pay.return", "refund.return"],
    )
    template: Text | None = yaml_key(*SPAN_NAME, yaml="name", read="moment")


@node(
    "current attribute group",
    "Attributes that are set on the current span at a moment. No span is started.",
    {"at": "pay.enter", "attributes": {"shop.order": "order.id"}},
    definition="current_attribute_group",
    required=("at",),
    one_of=("attributes", "name"),
    help="Name the moment with `at`, and write the attributes under `attributes`, or a name under `name`.",
)
@record(frozen=True, kw_only=True)
class CurrentAttributeGroup(AttributeGroup):
    """Attributes that a span of the call is given at a moment."""

    at: tuple[Moment, ...] = yaml_key(MOMENTS)
    template: Text | None = yaml_key(*SPAN_NAME, yaml="name", read="moment")


ATTRIBUTE_GROUPS = MapOf(
    NAME,
    NodeValue(AttributeGroup),
    About(
        "attribute groups",
        "Attributes with a condition in common, by name of the group. Of several with the same key, one with a "
        "condition that is true takes precedence, then one outside groups, then the last one.",
        ({"gift": {"when": "order.is_gift", "attributes": {"shop.gift.note": "order.note"}}},),
    ),
    by_name=False,
    definition="attribute_groups",
)
SPAN_ATTRIBUTE_GROUPS = MapOf(
    NAME,
    NodeValue(SpanAttributeGroup),
    About(
        "attribute groups",
        "Attributes with a condition or a moment in common, by name of the group. Of several with the same key at the "
        "same moment, one with a condition that is true takes precedence, then one outside groups, then the last one.",
        ({"payment": {"at": "pay.return", "attributes": {"shop.card": "card.kind"}}},),
    ),
    by_name=False,
    definition="span_attribute_groups",
)
CURRENT_ATTRIBUTE_GROUPS = MapOf(
    NAME,
    NodeValue(CurrentAttributeGroup),
    About(
        "attribute groups",
        "Attributes that are set on the current span, with a moment and a condition in common, by name of the group.",
        ({"order": {"at": "pay.enter", "attributes": {"shop.order": "order.id"}}},),
    ),
    by_name=False,
    definition="current_attribute_groups",
)
