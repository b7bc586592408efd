"""Values that are available in everything that a call calls."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, HOOK_NAME
from opentelemetry.instrumentation.declarative.language.values import Text


@node(
    "context value",
    "A value that is available during a call, in everything that the call calls. The name of the entry is"
    " the name that expressions use.",
    {"during": "checkout", "value": "order.id"},
    definition="context_value",
    required=("during", "value"),
    help="Name the hook of the call with `during`, and the expression with `value`.",
)
@dataclass(frozen=True, kw_only=True)
class ContextValue(Node):
    """A value that a call passes to everything that it calls, under a name."""

    during: Text = yaml_key(
        HOOK_NAME,
        "hook",
        "The hook of the call. The hook's own rules do not see the value.",
        "checkout",
    )
    value: Text = yaml_key(
        EXPRESSION,
        "value",
        "The value, evaluated when the call starts.",
        "order.id",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true carry the value. It is evaluated when the call starts.",
        "order.total > 0",
        default="True",
    )
