"""How the spans of a type are found by their keys, and how many of them are kept."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.scalar_types import Number
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Text


@node(
    "lookup",
    "How the spans of this type are found by their keys: further keys, how many ended spans are kept, and how many "
    "spans can be open for how long.",
    {"keep_ended": 1000},
    {"max_open": 500, "max_age": 86400},
)
@dataclass(frozen=True, kw_only=True)
class Lookup(Node):
    """How the spans of a type are found, and how many are kept."""

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
        default=10000,
    )
    max_age: int | None = yaml_key(
        Number(minimum=1, is_integer=True),
        "maximum age",
        "The number of seconds that a span of this type can be open. It is checked when another one "
        "starts. By default there is no limit.",
        86400,
    )
