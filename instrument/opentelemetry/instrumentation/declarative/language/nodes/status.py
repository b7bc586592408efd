"""The status of a span."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Node, NodeValue, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG
from opentelemetry.instrumentation.declarative.language.value_types import About, ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.values import Text


@node(
    "status",
    "The status of the span, if the condition is true.",
    {"error": "str(result.error)"},
    {"when": "result is None", "unset": True},
)
@dataclass(frozen=True, kw_only=True)
class Status(Node):
    """The status of a span if ``when`` is true."""

    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "This status only applies if the condition is true. It is evaluated when the span ends.",
        "result.code >= 500",
        default="True",
    )
    error: Text | None = yaml_key(
        EXPRESSION,
        "error description",
        "Text sets the status ERROR with this description, and `True` sets it without one. `None` does "
        "not set it. By default only exceptions set the status ERROR.",
        "str(result.error)",
    )
    ok: Text | None = yaml_key(
        EXPRESSION,
        "success condition",
        "A true value sets the status OK. By default the status OK is not set.",
        "result.paid",
    )
    content: bool | None = yaml_key(
        FLAG,
        "content flag",
        "Whether the description of the error is content. Unless content is recorded, the status ERROR "
        "has the type of the exception as its description, or none. By default the description is content"
        " if the exceptions of the span are.",
        True,
    )
    unset: bool = yaml_key(
        FLAG,
        "unset flag",
        "Whether the status stays unset and no exception is recorded, even if the call raises one.",
        True,
        default=False,
    )


STATUSES = OneOrMore(
    NodeValue(Status),
    ListOf(
        NodeValue(Status),
        About(
            "list of statuses",
            "Several statuses, tried in order.",
            ([{"when": "result.code == 404", "unset": True}, {"ok": "True"}],),
        ),
        item_about=About("status", "One item of the list.", ({"ok": "True"},)),
        min_items=1,
    ),
    About(
        "status",
        "The status of the span. In a list, the first status that applies and has a value is used. By "
        "default a subclass of `Exception` that leaves the call sets the status ERROR, and cancellation "
        "does not.",
        (
            {"error": "str(result.error)"},
            [
                {"when": "result.code == 404", "unset": True},
                {"error": 'f"status {result.code}" if result.code >= 400 else None'},
                {"ok": "True"},
            ],
        ),
    ),
    definition="statuses",
)
