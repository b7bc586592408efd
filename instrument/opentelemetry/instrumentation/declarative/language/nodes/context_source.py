"""Where the context of a parent, a link or an injection comes from."""

from __future__ import annotations

import re
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.each import Each
from opentelemetry.instrumentation.declarative.language.scalar_types import Choice
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, NAME
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record


def _one_or_each(about: About) -> OneOf:
    return OneOf((EXPRESSION, NodeValue(Each)), about)


@node(
    "context source",
    "A span of this spec, found by its key, or trace context that an object contains.",
    {"span": "checkout", "key": "order.id", "required": True},
    {"traceparent": "order.traceparent"},
    {"carrier": "request.headers"},
    forms=(
        Form(
            "context that comes from a span",
            "`span`, `key` and `required` find a span; `traceparent`, `tracestate` and `carrier` belong to context "
            "that an object contains.",
            ("traceparent", "tracestate", "carrier"),
        ),
        Form(
            "context that an object contains",
            "`traceparent` and `tracestate` read it; `span`, `key` and `required` belong to context that "
            "comes from a span, and `carrier` to context that the configured propagators read.",
            ("span", "key", "required", "carrier"),
        ),
        Form(
            "context that the configured propagators read",
            "`carrier` names the headers; `span`, `key` and `required` belong to context that comes from a span, and "
            "`traceparent` and `tracestate` to single fields.",
            ("span", "key", "required", "traceparent", "tracestate"),
        ),
    ),
    one_of=("span", "traceparent", "carrier"),
    requires={"span": ("key",)},
    help="Use `span` and `key` for a span, and `traceparent` or `carrier` for trace context that an object contains.",
)
@record(frozen=True, kw_only=True)
class ContextSource(Node):
    """Where the context of a parent or a link comes from."""

    span: Text | None = yaml_key(NAME, "span type", "The type of the span.", "checkout")
    key: Text | Each | None = yaml_key(
        _one_or_each(
            About(
                "key",
                "The key of the span, evaluated at this moment and compared with the key that the span had when it "
                "started. In a link, `{each: KEYS}` links to the span of each key.",
                ("order.id", {"each": "parcel.order_ids"}),
            )
        ),
        absent=None,
        read="rule",
    )
    required: bool = yaml_key(
        FLAG, "required flag", "Whether the rule is skipped if no source is available.", True, default=False
    )
    traceparent: Text | Each | None = yaml_key(
        _one_or_each(
            About(
                "traceparent",
                "Where the W3C `traceparent` is read. In a link, `{each: LIST}` links to the span of each item.",
                ("order.traceparent", {"each": "[order.traceparent for order in orders]"}),
            )
        ),
        absent=None,
        read="rule",
    )
    tracestate: Text | None = yaml_key(
        EXPRESSION,
        "tracestate",
        "Where the W3C `tracestate` is read. By default none is read.",
        "order.tracestate",
        read="rule",
    )
    carrier: Text | Each | None = yaml_key(
        _one_or_each(
            About(
                "carrier",
                "The headers that the configured propagators read: a mapping, pairs or an object for headers. By "
                "default only `traceparent` is read. In a link, `{each: LIST}` links to the span of each item.",
                ("request.headers", {"each": "[message.headers for message in messages]"}),
            )
        ),
        absent=None,
        read="rule",
    )
    #: The word that stands for the source in YAML, if it is not a mapping.
    word: Literal["none", "current", "current_or_ended"] | None = None

    @property
    def where(self) -> Literal["none", "current", "current_or_ended", "span", "traceparent", "carrier"]:
        if self.word or self.span:
            return self.word or "span"
        return "carrier" if self.carrier else "traceparent"

    @property
    def each(self) -> Each | None:
        """The list of which each item stands for a span."""
        return next((part for part in (self.key, self.traceparent, self.carrier) if isinstance(part, Each)), None)


@record(frozen=True)
class SourceWord(Choice):
    """A word that stands for a source of context."""

    def instead_of(self, text: str) -> object:
        return {"carrier": text} if re.fullmatch(r"[A-Za-z_]\w*([.\[].+)", text) else None

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Any:
        word: Any = super().decode(node, decoder, about)
        return ContextSource(mark=node.mark, word=word)


_SOURCE = OneOf(
    (
        SourceWord(
            ("current", "current_or_ended", "none"),
            About(
                "current or none",
                "`current` is the span that is current at the moment, unless it has ended; `current_or_ended` is that "
                "span in any case. `none` is no span and belongs at the end of the list.",
                ("current",),
            ),
        ),
        NodeValue(ContextSource),
    ),
    About("context source", "One of the sources.", ("current",)),
)
CONTEXT = OneOrMore(
    OneOf(
        (
            SourceWord(
                ("none", "current", "current_or_ended"),
                About(
                    "none or current",
                    "`none` is no span, and `current` is the span that is current at the moment. A link ignores one "
                    "that has ended, unless it is to `current_or_ended`. A span of this spec is written as "
                    "`{span: ..., key: ...}`.",
                    ("current", "none"),
                ),
            ),
            NodeValue(ContextSource),
        ),
        About(
            "context",
            "The span that a parent, a link or an injection refers to: none, the current span, an open or "
            "kept span of this spec, or trace context that an object contains. In a list, the first "
            "source that is available is used.",
            (
                "none",
                "current",
                {"span": "checkout", "key": "order.id"},
                {"traceparent": "order.traceparent"},
                ["current", {"traceparent": "order.traceparent"}],
            ),
        ),
    ),
    ListOf(
        _SOURCE,
        About(
            "list of context sources",
            "Several sources. The first that is available is used.",
            (["current", {"traceparent": "order.traceparent"}],),
        ),
        min_items=1,
    ),
    About(
        "context",
        "The span that a parent, a link or an injection refers to: none, the current span, an open or "
        "kept span of this spec, or trace context that an object contains. In a list, the first "
        "source that is available is used.",
        (
            "none",
            "current",
            {"span": "checkout", "key": "order.id"},
            {"traceparent": "order.traceparent"},
            ["current", {"traceparent": "order.traceparent"}],
        ),
    ),
    definition="context",
)


def or_current(sources: tuple[ContextSource, ...], mark: Mark) -> tuple[ContextSource, ...]:
    """The sources, or the current span if there are none."""
    return sources or (ContextSource(mark=mark, word="current"),)
