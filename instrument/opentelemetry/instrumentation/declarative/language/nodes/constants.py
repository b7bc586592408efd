"""Attributes with fixed values."""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.instrumentation.declarative.language.texts import ATTRIBUTE_KEY, PLAIN_TEXT
from opentelemetry.instrumentation.declarative.language.value_types import About, ConstantValue, MapOf

CONSTANTS = MapOf(
    ATTRIBUTE_KEY,
    ConstantValue(
        replace(PLAIN_TEXT, about=About("text", "One item of the list.", ("stop",)), min_length=0),
        About(
            "constant", "A fixed value: text, a number, true or false, or a list of texts.", ("chat", 1, True, ["stop"])
        ),
    ),
    About("constants", "Attributes with fixed values, by key.", ({"gen_ai.operation.name": "chat"},)),
    definition="constants",
)
