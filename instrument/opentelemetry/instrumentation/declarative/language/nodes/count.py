"""Counts of an open span."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.nodes.open_span import OnOpenSpan
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "count",
    "Counts how often something happens while a span is open. At the end of the span, expressions can use"
    " the number under the name of the count.",
    {"at": "retry.enter", "key": "order.id"},
    required=("at",),
    help="Name the moment with `at`.",
)
@record(frozen=True, kw_only=True)
class Count(OnOpenSpan):
    """A counter of an open span, for the expressions at its end."""

    at: tuple[Moment, ...] = yaml_key(MOMENTS)
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true are counted. It can use the names that are available"
        " at the moment.",
        "attempt > 1",
        default="True",
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
