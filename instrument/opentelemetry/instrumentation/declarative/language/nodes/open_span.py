"""The key by which a rule finds an open span."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
class OnOpenSpan(Node):
    """A rule that applies to an open span, which it finds by the key of the span."""

    key: Text | None = yaml_key(
        EXPRESSION,
        "key",
        "The key of the span, if the moment needs another expression for it. By default the `key` of the span is "
        "evaluated.",
        "payment.order_id",
        read="moment",
    )
