"""Attributes of spans, events and metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, MapOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue, ShortNodeValue
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.scalar_types import Choice, ConstantValue, TextType
from opentelemetry.instrumentation.declarative.language.texts import ATTRIBUTE_KEY, EXPRESSION, FLAG, PLAIN_TEXT
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Constant, Moment, Text
from opentelemetry.instrumentation.declarative.records import record

CONSTANT = ConstantValue(
    replace(PLAIN_TEXT, about=About("text", "One item of the list.", ("stop",)), min_length=0),
    About(
        "constant",
        "A fixed value: text, a number, true or false, or a list of texts. Text needs no inner quotes.",
        ("chat", 1, True, ["stop"]),
    ),
)
_FORMS = (
    Form(
        "attribute with an expression",
        "`value` is an expression; `const` belongs to an attribute with a fixed value.",
        ("const",),
    ),
    Form(
        "attribute with a fixed value",
        "`const` is a fixed value; `value`, `omit`, `content` and the keys for mappings belong to an attribute with an "
        "expression.",
        ("value", "omit", "content", "only", "redact", "case", "as_list"),
    ),
)
Omit = Literal["empty"]
OMIT = Choice(
    ("empty",),
    About(
        "omitted values",
        "`empty` leaves an attribute out if its value is an empty text, list or mapping, zero, or false. By default "
        "only `None` is left out.",
        ("empty",),
    ),
)
Case = Literal["lower", "snake"]
_CASE = Choice(
    ("lower", "snake"),
    About(
        "case of names",
        "How the names of the entries are written in the keys: `lower` for lower case, `snake` for lower case with "
        "underscores in place of hyphens. By default they stay as they are.",
        ("lower",),
    ),
)
#: The end of the key of an attribute that stands for the entries of a mapping.
ANY_NAME = "*"
_PATTERN = TextType(
    About("pattern", "A regular expression, or several with commas between them.", ("x-request-.*",)), is_named=False
)


def _patterns(title: str, doc: str, *examples: object) -> OneOrMore:
    listed = ListOf(_PATTERN, About("list of patterns", "Several patterns.", (["content-type", "x-request-.*"],)))
    return OneOrMore(_PATTERN, listed, About(title, doc, examples))


_ONLY = _patterns(
    "recorded entries",
    "The entries of the mapping that are recorded: regular expressions, each for a whole name in any case. Required "
    "if the key of the attribute ends with `*`. By default, or if the text is empty, none is recorded.",
    ["content-type", "x-request-.*"],
    "${OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST}",
)
_REDACT = _patterns(
    "redacted entries",
    "The entries whose value is replaced by `[REDACTED]`: regular expressions, each for the beginning of a name in any "
    "case. By default none is.",
    ["authorization", ".*session.*"],
    "${OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS}",
)
_HELP = "write the expression under `value`, or a fixed value under `const`"


@node(
    "attribute",
    "The value of an attribute: an expression, or a mapping with `value` for an expression or `const` for a fixed "
    "value, and more keys. If the value is `None`, the attribute is not recorded.",
    "order.id",
    {"const": "checkout"},
    {"value": "order.note", "content": True, "omit": "empty"},
    forms=_FORMS,
    one_of=("value", "const"),
    help=_HELP,
)
@record(frozen=True, kw_only=True)
class Attribute(Node):
    """An attribute and its value, which is an expression or fixed."""

    value: Text | None = yaml_key(
        EXPRESSION,
        "value",
        "The expression, evaluated as soon as all names in it are available: when the call starts, returns or raises.",
        "order.note",
        read="rule",
    )
    const: Constant | None = yaml_key(
        CONSTANT,
        "fixed value",
        "A value that is recorded as it is: text, a number, true or false, or a list of texts. It is not an "
        "expression, so text needs no inner quotes.",
        "checkout",
        3,
    )
    only: tuple[Text, ...] | None = yaml_key(_ONLY, absent=None)
    redact: tuple[Text, ...] = yaml_key(_REDACT)
    case: Case | None = yaml_key(_CASE)
    as_list: bool = yaml_key(
        FLAG,
        "list flag",
        "Whether each entry is recorded as a list, as the semantic conventions have it for headers, which can occur "
        "several times. Otherwise only an entry that occurs several times is a list.",
        True,
        default=False,
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "The attribute is only recorded if this condition is true. It is evaluated together with the value. A "
        "condition that uses no names, only fixed values and functions, is decided once, and not at each call.",
        "order.note is not None",
        default="True",
        read="rule",
    )
    omit: Omit | None = yaml_key(OMIT)
    content: bool = yaml_key(
        FLAG,
        "content flag",
        "Whether the value is content: text written by a person or generated by a model. Content is only "
        "recorded if OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT allows it.",
        True,
        default=False,
    )

    @property
    def is_mapping(self) -> bool:
        """Whether it stands for the entries of a mapping, each of which is an attribute."""
        return self.name.endswith(ANY_NAME)

    @property
    def source(self) -> str:
        """The value as it is written in the spec."""
        return self.value.value if self.value is not None else repr(self.const)


@node(
    "attribute",
    "The value of an attribute: an expression, or a mapping with `value` for an expression or `const` for a fixed "
    "value, and more keys. If the value is `None`, the attribute is not recorded.",
    "order.id",
    {"const": "checkout"},
    {"value": "card.kind", "at": "pay.return"},
    definition="span_attribute",
    forms=_FORMS,
    one_of=("value", "const"),
    help=_HELP,
)
@record(frozen=True, kw_only=True)
class SpanAttribute(Attribute):
    """An attribute of a span, which can be set while the span is open."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
        "moment",
        "When the attribute is set on the open span: a moment, or a list of moments. By default it is set when the "
        "span starts or, if its names are only available then, when it ends.",
        "pay.return",
        ["pay.return", "refund.return"],
    )


@node(
    "attribute of the current span",
    "An attribute that is set on the current span at a moment. No span is started.",
    {"value": "order.id", "at": "pay.enter"},
    definition="current_attribute",
    forms=_FORMS,
    required=("at",),
    one_of=("value", "const"),
    help="Name the moment with `at`, and write the expression under `value`, or a fixed value under `const`.",
)
@record(frozen=True, kw_only=True)
class CurrentAttribute(Attribute):
    """An attribute of a span of the call, whichever instrumentation has started it."""

    at: tuple[Moment, ...] = yaml_key(MOMENTS)


ATTRIBUTES = MapOf(
    ATTRIBUTE_KEY,
    ShortNodeValue(Attribute, "value"),
    About("attributes", "Attributes, by key.", ({"shop.items": "len(self.lines)", "shop.total": "result.total"},)),
    by_name=False,
    definition="attributes",
)
SPAN_ATTRIBUTES = MapOf(
    ATTRIBUTE_KEY,
    ShortNodeValue(SpanAttribute, "value"),
    About("attributes", "The attributes of the span, by key.", ({"shop.total": "result.total"},)),
    by_name=False,
    definition="span_attributes",
)
CURRENT_ATTRIBUTES = MapOf(
    ATTRIBUTE_KEY,
    NodeValue(CurrentAttribute),
    About(
        "attributes",
        "Attributes that are set on the current span, by key.",
        ({"shop.order": {"value": "order.id", "at": "pay.enter"}},),
    ),
    by_name=False,
    definition="current_attributes",
)
