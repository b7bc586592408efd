"""The moments at which a span ends."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue, ShortNodeValue
from opentelemetry.instrumentation.declarative.language.nodes.attribute import ATTRIBUTES, Attribute
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import ATTRIBUTE_GROUPS, AttributeGroup
from opentelemetry.instrumentation.declarative.language.nodes.each import Each
from opentelemetry.instrumentation.declarative.language.nodes.status import STATUSES, Status
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, MOMENT
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.records import record

END_KEY = OneOf(
    (EXPRESSION, NodeValue(Each)),
    About(
        "key",
        "The key of the span that ends, if this moment needs another expression for it, or `{each: KEYS}` if several "
        "spans end. By default the `key` of the span is evaluated.",
        ("parcel.order_id", {"each": "parcel.order_ids"}),
    ),
)


@node(
    "end",
    "A moment at which a span ends, with a condition, a key or attributes.",
    {"at": "ship.exit", "when": "order.is_complete"},
    required=("at",),
    help="an end that is a mapping has its moment under `at`",
)
@record(frozen=True, kw_only=True)
class End(Node):
    """A moment at which a span ends, or several spans do."""

    at: Moment = yaml_key(MOMENT, "moment", "When the span ends.", "ship.exit")
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true end a span. It can use the names that are available "
        "at the moment and, unless several spans end, the counts of the span.",
        "order.is_complete",
        default="True",
        read="moment",
    )
    key: Text | Each | None = yaml_key(END_KEY, absent=None, read="moment")
    attributes: tuple[Attribute, ...] = yaml_key(
        ATTRIBUTES,
        "attributes",
        "Attributes that are recorded only at this end.",
        {"shop.reason": "parcel.reason"},
        default={},
    )
    attribute_groups: tuple[AttributeGroup, ...] = yaml_key(ATTRIBUTE_GROUPS, default={})
    statuses: tuple[Status, ...] = yaml_key(
        STATUSES,
        "status",
        "The status of a span that ends here. By default, and if none applies, the `status` of the span is used.",
        {"error": "parcel.reason"},
        yaml="status",
    )


ENDS = OneOrMore(
    ShortNodeValue(End, "at"),
    ListOf(
        ShortNodeValue(End, "at"),
        About(
            "list of ends", "Several moments. The first that occurs ends the span.", (["ship.exit", "cancel.return"],)
        ),
        min_items=1,
    ),
    About(
        "end",
        "The moment at which a span ends, a mapping with the moment and further keys, or a list of these."
        " In a list, the first that occurs ends the span.",
        ("ship.exit", ["ship.exit", "cancel.return"], {"at": "ship.exit", "when": "order.is_complete"}),
    ),
    definition="ends",
)
