"""The functions that rendered expressions call, besides those of the language, and the operators that call them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.expressions.conversion import content_description
from opentelemetry.instrumentation.declarative.expressions.headers import set_header, set_header_attribute
from opentelemetry.instrumentation.declarative.expressions.mapping_entries import (
    cut_values,
    hashed_values,
    mapping_entries,
)
from opentelemetry.instrumentation.declarative.expressions.number_operators import (
    among,
    compare_all,
    divide,
    equal,
    floor_divide,
    greater,
    greater_or_equal,
    less,
    less_or_equal,
    multiply,
    not_equal,
    present,
    remainder,
    subtract,
)
from opentelemetry.instrumentation.declarative.expressions.operators import (
    add,
    collection,
    dot,
    header,
    header_attribute,
    item,
    key_of,
    listing,
    mapping,
    text,
)
from opentelemetry.instrumentation.declarative.expressions.sequences import comprehension

#: Functions that the rendered source calls, besides those of the language. No expression can name them.
HELPERS: Mapping[str, Callable[..., object]] = {
    "add": add,
    "among": among,
    "collection": collection,
    "compare_all": compare_all,
    "comprehension": comprehension,
    "content_description": content_description,
    "cut_content": cut_values,
    "divide": divide,
    "dot": dot,
    "equal": equal,
    "floor_divide": floor_divide,
    "float_type": float,
    "greater": greater,
    "greater_or_equal": greater_or_equal,
    "hashed_content": hashed_values,
    "header": header,
    "header_attribute": header_attribute,
    "int_type": int,
    "item": item,
    "key_of": key_of,
    "less": less,
    "less_or_equal": less_or_equal,
    "listing": listing,
    "mapping": mapping,
    "mapping_entries": mapping_entries,
    "multiply": multiply,
    "not_equal": not_equal,
    "present": present,
    "remainder": remainder,
    "set_header": set_header,
    "set_header_attribute": set_header_attribute,
    "slice": slice,
    "str_type": str,
    "subtract": subtract,
    "text": text,
    "type_of": type,
}

#: The helpers that a plan applies to expressions that read content.
CUT_CONTENT, HASHED_CONTENT = "cut_content", "hashed_content"
#: The helper for the description of a status that is content.
CONTENT_DESCRIPTION = "content_description"

#: The helper for the entries of a mapping as attributes.
MAPPING_ENTRIES = "mapping_entries"

OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder",
}

COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Lt: "less",
    ast.LtE: "less_or_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_or_equal",
}

#: How ``compare_all`` names comparisons.
SYMBOLS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
