"""Expressions: a small, whitelisted part of Python's own grammar that only reads.

An expression is parsed once, checked node by node, and later written back as Python source in two forms with one
meaning: the *direct* form reads ``envelope.sender_id`` as it stands and raises if a step is missing; in the *null-safe*
form a missing step is ``None``. A wrapper evaluates the direct form and falls back to the null-safe one.
"""

from opentelemetry.instrumentation.declarative.expressions.expression import Expression, ExpressionError, Template
from opentelemetry.instrumentation.declarative.expressions.helpers import (
    CONTENT_DESCRIPTION,
    CUT_CONTENT,
    HASHED_CONTENT,
    HELPERS,
    MAPPING_ENTRIES,
)
from opentelemetry.instrumentation.declarative.expressions.parser import parse, parse_template
from opentelemetry.instrumentation.declarative.expressions.render import HelperCall
from opentelemetry.instrumentation.declarative.expressions.source_names import PlainNames, SourceNames

__all__ = [
    "CONTENT_DESCRIPTION",
    "CUT_CONTENT",
    "HASHED_CONTENT",
    "HELPERS",
    "MAPPING_ENTRIES",
    "Expression",
    "ExpressionError",
    "HelperCall",
    "PlainNames",
    "SourceNames",
    "Template",
    "parse",
    "parse_template",
]
