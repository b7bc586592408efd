"""Python functions that a spec calls: in expressions, or with a span at a moment."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf
from opentelemetry.instrumentation.declarative.language.node_type import Form, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import ShortNodeValue
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.nodes.open_span import OnOpenSpan
from opentelemetry.instrumentation.declarative.language.nodes.span_of_call import SPAN_OF_CALL
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, NAME, TARGET
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, SpanOfCall, Target, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "function",
    "A Python function: `module:function` for one that expressions call, or a mapping for one that is called with a "
    "span at a moment.",
    "shop.prices:price_of",
    {"call": "shop.tracing:record_card", "at": "pay.return", "arguments": ["card"]},
    forms=(
        Form(
            "function with a span of the call",
            "`of` selects a span of the call; `span` and `key` belong to a function with an open span of a type.",
            ("span", "key"),
        ),
        Form(
            "function with an open span",
            "`span` and `key` select an open span of a type; `of` belongs to a function with a span of the call.",
            ("of",),
        ),
    ),
    required=("call",),
    requires=dict.fromkeys(("when", "of", "span", "key", "arguments"), ("at",)),
    help="Name the function with `call`, as module:function, and the moment with `at`.",
)
@record(frozen=True, kw_only=True)
class Function(OnOpenSpan):
    """A function that expressions call or, with ``at``, one that is called with a span."""

    call: Target = yaml_key(
        TARGET,
        "function",
        "The function, as `module:function`.",
        "shop.prices:price_of",
    )
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
    of: SpanOfCall = yaml_key(
        SPAN_OF_CALL,
        default="current",
        absent="current",
    )
    span: Text | None = yaml_key(
        NAME,
        "span type",
        "The type of the open span with which the function is called. By default it is a span of the call.",
        "order",
    )
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
    def is_called_with_span(self) -> bool:
        """Whether it is called at moments, and not by expressions."""
        return bool(self.at)


FUNCTION = ShortNodeValue(Function, "call")
