"""How the spans of a type are found, and how many of them are kept."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.scalar_types import Number
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record

#: How many spans of a type can be open, unless its key says otherwise.
MAX_OPEN = 10_000


@node(
    "key of a span",
    "Identifies the span among the open spans of its type, so that its end, its events and other spans can find it: an "
    "expression that is evaluated when the span starts, or a mapping with further keys, with how many ended spans are "
    "kept, and with how many spans can be open for how long. By default the span cannot be found.",
    "order.id",
    {"value": "order.id", "keep_ended": 1000},
    {"value": "order.id", "max_open": 500, "max_age": 86400},
    definition="span_key",
    required=("value",),
    help="write the expression of the key under `value`",
)
@record(frozen=True, kw_only=True)
class SpanKey(Node):
    """The key of the spans of a type."""

    value: Text | None = yaml_key(
        EXPRESSION,
        "key",
        "The expression, evaluated when the span starts. A key of several parts is a tuple.",
        "order.id",
        "(order.shop, order.id)",
        read="start",
    )
    also: tuple[Text, ...] = yaml_key(
        ListOf(
            EXPRESSION,
            item_about=About("key", "A further key. If it is `None`, it is ignored.", ("order.invoice_id",)),
            min_items=1,
        ),
        "further keys",
        "Further keys of a span around a call, evaluated when it starts. They find the span once it has ended, while "
        "it is kept. By default there are none.",
        ["order.invoice_id"],
        read="start",
        phrase="a further key",
    )
    keep_ended: int = yaml_key(
        Number(minimum=0, is_integer=True),
        "number of ended spans",
        "The number of ended spans of this type that can still be found, as a parent or a link.",
        1000,
        default=0,
    )
    max_open: int = yaml_key(
        Number(minimum=1, is_integer=True),
        "maximum number of open spans",
        "The number of spans of this type that can be open at once. If another one starts, the oldest ends.",
        500,
        default=MAX_OPEN,
    )
    max_age: int | None = yaml_key(
        Number(minimum=1, is_integer=True),
        "maximum age",
        "The number of seconds that a span of this type can be open. It is checked when another one "
        "starts. By default there is no limit.",
        86400,
    )
