"""Fields of the program that are set to a value."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FIELD
from opentelemetry.instrumentation.declarative.language.values import Moment, Text


@node(
    "assignment",
    "Sets a field of the program's objects, or a parameter of the call, to a value at a moment.",
    {"at": "send.enter", "field": "message.reply_to", "value": "order_id"},
    required=("at", "field", "value"),
    help="Name the moment with `at`, the field with `field`, and the expression with `value`.",
)
@dataclass(frozen=True, kw_only=True)
class Assignment(Node):
    """Sets a field of the program to a value at a moment."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true set the field. It can use the names that are "
        "available at the moment.",
        "message.reply_to is None",
        default="True",
    )
    field: Text | None = yaml_key(
        FIELD,
        "field",
        "The field or parameter that is set to the value.",
        "message.reply_to",
    )
    value: Text | None = yaml_key(
        EXPRESSION,
        "value",
        "The value. If it is `None`, the field is not set.",
        "order_id",
    )
