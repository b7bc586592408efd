"""The functions that an expression can call, in one table: the reference of functions is generated from it.

They take values of the program and return new ones; none changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.expressions import (
    call_context,
    patterns,
    sequences,
    text_functions,
    url_functions,
    value_functions,
)
from opentelemetry.instrumentation.declarative.expressions.function import Function

_MODULES = (call_context, patterns, sequences, text_functions, url_functions, value_functions)

#: By the name in an expression, in alphabetical order.
FUNCTIONS: Mapping[str, Function] = dict(sorted(entry for module in _MODULES for entry in module.FUNCTIONS.items()))
