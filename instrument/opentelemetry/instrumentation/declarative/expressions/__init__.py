"""Expressions: a small, whitelisted part of Python's own grammar that only reads.

An expression is parsed once, checked node by node, and later written back as Python source in two forms with one
meaning: the *fast* form reads plainly (``envelope.sender_id``) and raises where a step is missing; the *careful* form
reads each step so that whatever is missing is ``None``. A wrapper runs the fast form and falls back to the careful one.
"""

from opentelemetry.instrumentation.declarative.expressions.expression import Expression, ExpressionError, Template
from opentelemetry.instrumentation.declarative.expressions.parser import parse, parse_template
from opentelemetry.instrumentation.declarative.expressions.render import CUT_CONTENT, HASHED_CONTENT, HELPERS

__all__ = [
    "CUT_CONTENT",
    "HASHED_CONTENT",
    "HELPERS",
    "Expression",
    "ExpressionError",
    "Template",
    "parse",
    "parse_template",
]
