"""Objects of the library that spans belong to."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import ShortNodeValue
from opentelemetry.instrumentation.declarative.language.nodes.close import CLOSES, Close
from opentelemetry.instrumentation.declarative.language.nodes.sink import Sink
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "owner",
    "An object of the library that spans belong to, such as a connection. When it is closed, its open spans end.",
    {"object": "self", "closes": "close.exit"},
    required=("object",),
    help="Name the object with `object`.",
)
@record(frozen=True, kw_only=True)
class Owner(Node):
    """An object of the library that spans belong to."""

    object: Text = yaml_key(
        EXPRESSION,
        "object",
        "The object, evaluated when a span starts, and when it is closed.",
        "self",
        "self.connection",
        read="start",
    )
    closes: tuple[Close, ...] = yaml_key(CLOSES)
    sink: Sink | None = yaml_key(
        ShortNodeValue(Sink, "class"),
        "sink",
        "The class that also receives the ended spans, or a mapping with the class and its options. By default there"
        " is none.",
        "opentelemetry.instrumentation.declarative.libraries.ag2.spans_file:SpansFile",
        {
            "class": "opentelemetry.instrumentation.declarative.libraries.ag2.spans_file:SpansFile",
            "options": {"rotate": 10000000},
        },
    )

    @property
    def end_reason(self) -> str:
        """The value of `instrument.end` on spans that end because the object is closed."""
        return f"{self.name}_closed"
