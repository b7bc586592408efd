"""The functions that rendered expressions call, besides those of the language, and the operators that call them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.expressions import (
    conversion,
    headers,
    mapping_entries,
    number_operators,
    operators,
    sequences,
)

#: The names of the functions in each module.
_NAMES = {
    conversion: "content_description",
    headers: "set_header set_header_attribute",
    mapping_entries: "mapping_entries",
    number_operators: "among present compare_all equal not_equal less less_or_equal greater greater_or_equal "
    "subtract multiply divide floor_divide remainder",
    operators: "add collection dot header header_attribute item key_of listing mapping text",
    sequences: "comprehension",
}
#: Functions that the rendered source calls, besides those of the language. No expression can name them.
HELPERS: Mapping[str, Callable[..., object]] = {
    **{name: getattr(module, name) for module, names in _NAMES.items() for name in names.split()},
    "cut_content": mapping_entries.cut_values,
    "hashed_content": mapping_entries.hashed_values,
    "float_type": float,
    "int_type": int,
    "slice": slice,
    "str_type": str,
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
