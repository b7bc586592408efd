"""Python functions that a spec calls: in expressions, or with a span at a moment."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import ShortNodeValue
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.nodes.span_selection import SPAN_SELECTION, OpenSpan
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, TARGET
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, SpanOfCall, Target, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "function",
    "A Python function: `module:function` for one that expressions call, or a mapping for one that is called with a "
    "span at a moment.",
    "shop.prices:price_of",
    {"call": "shop.tracing:record_card", "at": "pay.return", "arguments": ["card"]},
    required=("call",),
    requires=dict.fromkeys(("when", "of", "arguments"), ("at",)),
    help="Name the function with `call`, as module:function, and the moment with `at`.",
)
@record(frozen=True, kw_only=True)
class Function(Node):
    """A function that expressions call or, with ``at``, one that is called with a span."""

    call: Target = yaml_key(TARGET, "function", "The function, as `module:function`.", "shop.prices:price_of")
    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
        "moment",
        "When the function is called with a span as its first argument: a moment, or a list of moments. By default "
        "expressions call the function.",
        "pay.return",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "The function is only called if this condition is true. It can use the names that are available at the moment.",
        "card is not None",
        default="True",
        read="moment",
    )
    of: SpanOfCall | OpenSpan = yaml_key(SPAN_SELECTION, default="current", absent="current")
    arguments: tuple[Text, ...] = yaml_key(
        ListOf(EXPRESSION, item_about=About("argument", "The value of one argument.", ("card",))),
        "arguments",
        "The arguments after the span. One without a value is `None`.",
        ["card", "result.receipt"],
        default=[],
        read="moment",
    )

    varies: bool = yaml_key(
        FLAG,
        "variation flag",
        "Whether the function can return different values for the same arguments, such as the current request. Without "
        "it, a condition of an attribute that reads no names is decided once for each process.",
        True,
        default=False,
    )

    @property
    def open_span(self) -> OpenSpan | None:
        """The open span with which it is called; None for a span of the call."""
        return self.of if isinstance(self.of, OpenSpan) else None

    @property
    def key(self) -> Text | None:
        """The key of that span, if it is not the one of the span itself."""
        return self.open_span.key if self.open_span is not None else None

    @property
    def is_called_with_span(self) -> bool:
        """Whether it is called at moments, and not by expressions."""
        return bool(self.at)


FUNCTION = ShortNodeValue(Function, "call")
