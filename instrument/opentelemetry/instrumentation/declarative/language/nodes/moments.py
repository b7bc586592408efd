"""The moments at which a rule applies."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.texts import MOMENT
from opentelemetry.instrumentation.declarative.language.value_types import About

MOMENTS = OneOrMore(
    MOMENT,
    ListOf(
        MOMENT,
        About(
            "list of moments", "Several moments. The rule applies at each of them.", (["pay.return", "refund.return"],)
        ),
        item_about=About("moment", "One item of the list.", ("refund.return",)),
        is_unique=True,
        min_items=1,
    ),
    About(
        "moment",
        "The moment at which the rule applies, or a list of moments.",
        ("pay.return", ["pay.return", "refund.return"]),
    ),
    definition="moments",
)
