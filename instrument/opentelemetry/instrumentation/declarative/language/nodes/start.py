"""The moments at which a span starts."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, MapOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import ShortNodeValue
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, IDENTIFIER, MOMENT
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries, Moment, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "start",
    "A moment at which a span starts, with a condition, names or a flag.",
    {"at": "pay.enter", "when": "order.total > 0"},
    required=("at",),
    help="a start that is a mapping has its moment under `at`",
)
@record(frozen=True, kw_only=True)
class Start(Node):
    """A moment at which a span starts. ``names`` are defined at this moment only."""

    at: Moment = yaml_key(MOMENT, "moment", "When the span starts.", "pay.enter")
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true start a span. It can use the names that are "
        "available at the moment.",
        "order.total > 0",
        default="True",
        read="moment",
    )
    names: Entries[Text] = yaml_key(
        MapOf(
            IDENTIFIER,
            EXPRESSION,
            value_about=About("value", "The value of the name, evaluated at this moment.", ("result.order",)),
        ),
        "names",
        "Names for values that are available at this moment, for the other expressions of the span. If a "
        "span has several starts, each must define the names in its key and its name; in attributes, a "
        "name that only another start defines is missing.",
        {"order": "result.order"},
        default={},
        read="moment",
    )
    unless_open: bool = yaml_key(
        FLAG,
        "flag for open spans",
        "Whether this start does nothing while a span with the same key is open, instead of replacing it.",
        True,
        default=False,
    )


STARTS = OneOrMore(
    ShortNodeValue(Start, "at"),
    ListOf(
        ShortNodeValue(Start, "at"),
        About(
            "list of starts",
            "Several moments, each of which starts a span.",
            (["ordered.enter", {"at": "loaded.return"}],),
        ),
        min_items=1,
    ),
    About(
        "start",
        "The moment at which a span starts, a mapping with the moment and further keys, or a list of "
        "these. Each item of a list starts a span.",
        (
            "pay.enter",
            {"at": "pay.enter", "when": "order.total > 0"},
            ["ordered.enter", {"at": "loaded.return", "names": {"order": "result"}}],
        ),
    ),
    definition="starts",
)
