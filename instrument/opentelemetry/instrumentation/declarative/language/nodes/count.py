"""Counts of an open span."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, Text


@node(
    "count",
    "Counts how often something happens while a span is open. At the end of the span, expressions can use"
    " the number under the name of the count.",
    {"at": "retry.enter", "key": "order.id"},
    required=("at",),
    help="Name the moment with `at`.",
)
@dataclass(frozen=True, kw_only=True)
class Count(Node):
    """A counter of an open span, for the expressions at its end."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true are counted. It can use the names that are available"
        " at the moment.",
        "attempt > 1",
        default="True",
        read="moment",
    )
    key: Text | None = yaml_key(
        EXPRESSION,
        "key",
        "The key of the span, if this moment needs another expression for it. By default the `key` of the"
        " span is evaluated.",
        "payment.order_id",
        read="moment",
    )


COUNTS = OneOrMore(
    NodeValue(Count),
    ListOf(
        NodeValue(Count),
        About(
            "list of counts", "Several counts, which are added.", ([{"at": "retry.enter"}, {"at": "decline.return"}],)
        ),
        item_about=About("count", "One item of the list.", ({"at": "retry.enter"},)),
        min_items=1,
    ),
    About(
        "count",
        "Counts how often something happens while a span is open. In a list, the counts are added.",
        ({"at": "retry.enter", "key": "order.id"}, [{"at": "retry.enter"}, {"at": "decline.return"}]),
    ),
    definition="counts",
)
