"""Exceptions on a span."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import ShortNodeValue
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "exception",
    "An exception that the call returns instead of raising it: an expression, or a mapping with the "
    "expression, whether exceptions are recorded as events, and whether their texts are content. By default "
    "only raised exceptions are recorded.",
    "result.error",
    {"content": True},
    {"event": False},
)
@record(frozen=True, kw_only=True)
class ExceptionRule(Node):
    """The exception that a call returns, and how much of exceptions is recorded."""

    value: Text | None = yaml_key(
        EXPRESSION,
        "returned exception",
        "The exception that the call returns. By default only raised exceptions are recorded.",
        "result.error",
        read="end",
        phrase="the exception",
    )
    event: bool = yaml_key(
        FLAG,
        "event flag",
        "Whether an exception is recorded as an event of the span, with its message and stack trace. Without it, the "
        "exception only sets the status of the span and the attribute `error.type` of its metrics.",
        False,
        default=True,
    )
    content: bool | None = yaml_key(
        FLAG,
        "content flag",
        "Whether the texts of the exceptions on this span, raised or returned, are content: messages, "
        "stack traces and the descriptions of the status. Unless content is recorded, only their types "
        "and stack frames are recorded. By default they are content if anything in the spec is.",
        True,
    )


EXCEPTION = ShortNodeValue(
    ExceptionRule, "value", flag_help="write {event: false} to record no exception as an event of the span"
)
