"""The items of a list in place of one value."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "list of values",
    "A list, each item of which stands for a span of its own: one that ends, or one that a link leads to.",
    {"each": "parcel.order_ids"},
    definition="each",
    required=("each",),
    help="name the list with `each`",
)
@record(frozen=True, kw_only=True)
class Each(Node):
    """A list, each item of which stands for a span."""

    each: Text | None = yaml_key(
        EXPRESSION,
        "list",
        "The list. An iterator is not read, because that would exhaust it.",
        "parcel.order_ids",
        read="rule",
    )
