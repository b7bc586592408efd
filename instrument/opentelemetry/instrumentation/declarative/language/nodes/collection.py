"""Values that are collected over the items of a result."""

from __future__ import annotations

from typing import Literal

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record

CollectionKind = Literal["count", "first", "last", "join", "list", "sum"]


@node(
    "collection",
    "A value that is collected over the items of the result, such as a stream: evaluated for each item, and available "
    "at the end of the call under its name.",
    {"join": "last_item.choices[0].delta.content"},
    {"sum": "last_item.usage.tokens"},
    one_of=("count", "first", "last", "join", "list", "sum"),
    help="Write the expression under `count`, `first`, `last`, `join`, `list` or `sum`.",
)
@record(frozen=True, kw_only=True)
class Collection(Node):
    """An expression that is evaluated for each item, and what becomes of its values."""

    count: Text | None = yaml_key(
        EXPRESSION,
        "counted condition",
        "The number of items for which the condition is true. By default nothing is counted.",
        "last_item.is_final",
        read="item",
    )
    first: Text | None = yaml_key(
        EXPRESSION,
        "first value",
        "The first value that is not `None`. By default none is kept.",
        "last_item.model",
        read="item",
    )
    last: Text | None = yaml_key(
        EXPRESSION,
        "last value",
        "The last value that is not `None`. By default none is kept.",
        "last_item.finish_reason",
        read="item",
    )
    join: Text | None = yaml_key(
        EXPRESSION,
        "joined texts",
        "The texts of all values that are not `None`, joined to one text of at most 100,000 characters. By default "
        "nothing is joined.",
        "last_item.delta.content",
        read="item",
    )
    list: Text | None = yaml_key(
        EXPRESSION,
        "listed values",
        "The values that are not `None`, in a list of at most 1,000. By default none are kept.",
        "last_item.delta.tool_call",
        read="item",
    )
    sum: Text | None = yaml_key(
        EXPRESSION,
        "summed numbers",
        "The sum of all values that are numbers. By default nothing is summed.",
        "last_item.usage.tokens",
        read="item",
    )

    @property
    def kinds(self) -> tuple[CollectionKind, ...]:
        """The keys that it has: one, if it is valid."""
        kinds: tuple[CollectionKind, ...] = ("count", "first", "last", "join", "list", "sum")
        return tuple(kind for kind in kinds if getattr(self, kind) is not None)

    @property
    def kind(self) -> CollectionKind:
        return self.kinds[0]

    @property
    def value(self) -> Text:
        """The expression that is evaluated for each item."""
        value: Text = getattr(self, self.kind)
        return value
