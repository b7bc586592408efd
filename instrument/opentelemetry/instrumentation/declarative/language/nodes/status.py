"""The status of a span."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.nodes.open_span import OnOpenSpan
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "status",
    "The status of the span, if the condition is true.",
    {"error": "str(result.error)"},
    {"when": "result is None", "unset": True},
)
@record(frozen=True, kw_only=True)
class Status(Node):
    """The status of a span if ``when`` is true."""

    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "This status only applies if the condition is true. It is evaluated when the span ends.",
        "result.code >= 500",
        default="True",
        read="rule",
    )
    error: Text | None = yaml_key(
        EXPRESSION,
        "error description",
        "Text sets the status ERROR with this description, and `True` sets it without one. `None` does "
        "not set it. By default only exceptions set the status ERROR.",
        "str(result.error)",
        read="rule",
    )
    ok: Text | None = yaml_key(
        EXPRESSION,
        "success condition",
        "A true value sets the status OK. By default the status OK is not set.",
        "result.paid",
        read="rule",
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


@node(
    "status",
    "The status of the span, if the condition is true. With `at`, it is set while the span is open.",
    {"error": "str(result.error)"},
    {"when": "result is None", "unset": True},
    {"at": "decline.return", "error": "result.reason"},
    definition="span_status",
    requires={"key": ("at",)},
)
@record(frozen=True, kw_only=True)
class SpanStatus(Status, OnOpenSpan):
    """A status of a span, which can be set while the span is open."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
        "moment",
        "When the status is set on the open span: a moment, or a list of moments. A later status replaces it, except "
        "for OK. By default it is set when the span ends.",
        "decline.return",
        ["decline.return", "refund.return"],
    )


@node(
    "status of the current span",
    "A status that is set on the current span at a moment, if the condition is true. A later status replaces it, "
    "except for OK.",
    {"at": "pay.return", "error": "result.problem"},
    definition="current_status",
    required=("at",),
    help="Name the moment with `at`.",
)
@record(frozen=True, kw_only=True)
class CurrentStatus(Status):
    """A status that a span of the call is given at a moment."""

    at: tuple[Moment, ...] = yaml_key(MOMENTS)


_LIST = About(
    "list of statuses",
    "Several statuses, tried in order.",
    ([{"when": "result.code == 404", "unset": True}, {"ok": "True"}],),
)
_ITEM = About("status", "One item of the list.", ({"ok": "True"},))
_DOC = (
    "The status of the span. In a list, the first status that applies and has a value is used. By default a subclass "
    "of `Exception` that leaves the call sets the status ERROR, and cancellation does not."
)
_EXAMPLES = (
    {"error": "str(result.error)"},
    [
        {"when": "result.code == 404", "unset": True},
        {"error": 'f"status {result.code}" if result.code >= 400 else None'},
        {"ok": "True"},
    ],
)
STATUSES = OneOrMore(
    NodeValue(Status),
    ListOf(NodeValue(Status), _LIST, item_about=_ITEM, min_items=1),
    About("status", _DOC, _EXAMPLES),
    definition="statuses",
)
SPAN_STATUSES = OneOrMore(
    NodeValue(SpanStatus),
    ListOf(NodeValue(SpanStatus), _LIST, item_about=_ITEM, min_items=1),
    About(
        "status",
        _DOC,
        (
            *_EXAMPLES,
            [{"at": "decline.return", "error": "result.reason"}, {"ok": "result.paid"}],
        ),
    ),
    definition="span_statuses",
)
CURRENT_STATUSES = OneOrMore(
    NodeValue(CurrentStatus),
    ListOf(
        NodeValue(CurrentStatus),
        About(
            "list of statuses",
            "Several statuses. Of those at the same moment, the first that applies and has a value is used.",
            ([{"at": "pay.return", "error": "result.problem"}],),
        ),
        item_about=About("status", "One item of the list.", ({"at": "pay.raise", "error": "str(error)"},)),
        min_items=1,
    ),
    About(
        "status",
        "A status that is set on the current span at a moment, or a list of these. The current span may come from "
        "another instrumentation. By default there is none.",
        ({"at": "pay.return", "error": "result.problem"},),
    ),
    definition="current_statuses",
)
