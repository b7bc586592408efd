"""The moments at which the owner of spans is closed."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import ShortNodeValue
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, MOMENT
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "closing moment",
    "A moment at which an owner is closed, if the object is read differently at this moment.",
    {"at": "closed.enter", "object": "connection"},
    required=("at",),
    help="Name the moment with `at`.",
)
@record(frozen=True, kw_only=True)
class Close(Node):
    """A moment at which an owner is closed: its open spans end."""

    at: Moment = yaml_key(MOMENT, "moment", "When the owner is closed.", "close.exit")
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true close the owner. It can use the names that are available at the"
        " moment.",
        "not self.is_shared",
        default="True",
        read="moment",
    )
    closed_object: Text | None = yaml_key(
        EXPRESSION,
        "closed object",
        "The object that is closed, evaluated at the moment. By default the `object` of the owner is evaluated.",
        "connection",
        yaml="object",
        read="moment",
    )


CLOSES = OneOrMore(
    ShortNodeValue(Close, "at"),
    ListOf(
        ShortNodeValue(Close, "at"),
        About(
            "list of closing moments",
            "Several moments, each of which closes the owner.",
            (["close.exit", {"at": "closed.enter", "object": "connection"}],),
        ),
        min_items=1,
    ),
    About(
        "closes",
        "The moment at which the object is closed, a mapping with the moment and further keys, or a list of these. All"
        " its open spans end, with the name of the owner and `_closed` as the attribute `instrument.end`, and what its"
        " sink has received is written. By default its spans end only where they say.",
        ("close.exit", ["close.exit", {"at": "closed.enter", "object": "connection"}]),
    ),
    definition="closes",
)
