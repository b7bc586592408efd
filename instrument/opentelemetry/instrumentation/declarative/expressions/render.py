"""Renders parsed expressions as Python source: directly, or null-safe."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from opentelemetry.instrumentation.declarative.expressions.conversion import (
    content_description,
    cut_content,
    hashed_content,
)
from opentelemetry.instrumentation.declarative.expressions.headers import set_header, set_header_attribute
from opentelemetry.instrumentation.declarative.expressions.operators import (
    MAPPING_NAMES,
    NUMBER_OPERATORS,
    add,
    collection,
    dot,
    header,
    header_attribute,
    item,
    listing,
    multiply,
    remainder,
    text,
)

#: Functions that the rendered source calls, besides those of the language. No expression can name them.
HELPERS: Mapping[str, Callable[..., object]] = {
    "add": add,
    "collection": collection,
    "content_description": content_description,
    "cut_content": cut_content,
    "dot": dot,
    "hashed_content": hashed_content,
    "header": header,
    "header_attribute": header_attribute,
    "item": item,
    "listing": listing,
    "multiply": multiply,
    "remainder": remainder,
    "set_header": set_header,
    "set_header_attribute": set_header_attribute,
    "slice": slice,
    "text": text,
    **NUMBER_OPERATORS,
}

#: The helpers that a plan applies to expressions that read content.
CUT_CONTENT, HASHED_CONTENT = "cut_content", "hashed_content"
#: The helper for the description of a status that is content.
CONTENT_DESCRIPTION = "content_description"

_OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Mod: "remainder",
    ast.Mult: "multiply",
}


#: Operators with a helper in the null-safe form only.
_NUMBER_OPERATORS: Mapping[type[ast.operator] | type[ast.cmpop], str] = {
    ast.Sub: "subtract",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Lt: "less",
    ast.LtE: "less_or_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_or_equal",
}


#: Comparisons that None does not support.
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class SourceNames(Protocol):
    """How the names in an expression are written in the source."""

    def variable(self, name: str) -> str: ...

    def lacks(self, name: str) -> bool: ...

    def function(self, name: str) -> str: ...

    def helper(self, name: str) -> str: ...


class PlainNames:
    """Writes variables as they are. Functions and helpers get names that no spec can define."""

    def variable(self, name: str) -> str:
        return name

    def lacks(self, name: str) -> bool:
        return False

    def function(self, name: str) -> str:
        return f"__function_{name}"

    def helper(self, name: str) -> str:
        return f"__helper_{name}"

    def namespace(self, functions: Mapping[str, Callable[..., object]]) -> dict[str, Any]:
        """The functions and helpers by these names, to evaluate source in."""
        return {
            **{self.function(name): function for name, function in functions.items()},
            **{self.helper(name): helper for name, helper in HELPERS.items()},
        }


class HelperCall(ast.Call):
    """A call of a helper, as a node of an expression."""

    @classmethod
    def of(cls, helper: str, *arguments: ast.expr) -> HelperCall:
        return cls(ast.Name(helper, ast.Load()), list(arguments), [])


class HeaderAttribute(ast.Attribute):
    """The last step of a path to trace context, as in ``message.headers.traceparent``."""


class TraceContextPaths(ast.NodeTransformer):
    """Reads the last step of each path as a field of trace context."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return HeaderAttribute(node.value, node.attr, ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return node if isinstance(node.slice, ast.Slice) else HelperCall.of("header", node.value, node.slice)


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


def _is_none(node: ast.expr) -> bool:
    """Whether a rendered expression is None: of a name that is missing, what is read from it is missing too."""
    return (isinstance(node, ast.Name) and node.id == "None") or (isinstance(node, ast.Constant) and node.value is None)


class DirectRenderer(ast.NodeTransformer):
    """Renders an expression as plain Python, except for operations that in plain Python do more than read.

    The size of `+`, `*`, `%`, f-strings and lists is bounded, `in` does not consume an iterator, and an item of a
    mapping is read without creating it.
    """

    def __init__(self, names: SourceNames) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.names.variable(node.id), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        return _call(self.names.function(node.func.id), *(self.visit(argument) for argument in node.args))

    def visit_HelperCall(self, node: HelperCall) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        return _call(self.names.helper(node.func.id), *(self.visit(argument) for argument in node.args))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.visit(node.value)
        if _is_none(value):
            return ast.Constant(None)
        if node.attr in MAPPING_NAMES:
            return _call(self.names.helper("dot"), value, ast.Constant(node.attr))
        return ast.Attribute(value, node.attr, ast.Load())

    def visit_HeaderAttribute(self, node: HeaderAttribute) -> ast.expr:
        return self.visit_Attribute(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        if self._lacks_name((left, right), (node.left, node.right)):
            return ast.Constant(None)
        helper = _OPERATORS.get(type(node.op))
        if helper is not None:
            return _call(self.names.helper(helper), left, right)
        return ast.BinOp(left, node.op, right)

    def visit_List(self, node: ast.List) -> ast.expr:
        return self._listing(node, ast.List([self.visit(each) for each in node.elts], ast.Load()))

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        return self._listing(node, ast.Tuple([self.visit(each) for each in node.elts], ast.Load()))

    def _listing(self, node: ast.List | ast.Tuple, written: ast.expr) -> ast.expr:
        """A list or tuple display. One that contains only constants needs no bound."""
        plain = all(isinstance(each, ast.Constant) for each in node.elts)
        return written if plain else _call(self.names.helper("listing"), written)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        rendered = [self.visit(part) for part in parts]
        # Without one of its names, there is no text. A value that is missing is the text "None", as in Python.
        return ast.Constant(None) if self._lacks_name(rendered, parts) else _call(self.names.helper("text"), *rendered)

    def _lacks_name(self, rendered: Sequence[ast.expr], written: Sequence[ast.expr]) -> bool:
        """Whether an operand is missing because its name does not exist. Then what is computed of it is missing too."""
        return any(
            _is_none(value) and any(isinstance(each, ast.Name) and self.names.lacks(each.id) for each in ast.walk(node))
            for value, node in zip(rendered, written, strict=True)
        )

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        right = [self.visit(each) for each in node.comparators]
        for index, (op, each) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if not isinstance(op, (ast.In, ast.NotIn)) or isinstance(each, ast.Constant):
                continue
            if isinstance(each, (ast.Tuple, ast.List)):  # it is only searched
                right[index] = type(each)([self.visit(inner) for inner in each.elts], ast.Load())
            else:
                right[index] = _call(self.names.helper("collection"), right[index])
        left = self.visit(node.left)
        if any(isinstance(op, _ORDER) for op in node.ops) and self._lacks_name(
            (left, *right), (node.left, *node.comparators)
        ):
            return ast.Constant(None)
        return ast.Compare(left, node.ops, right)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        value = self.visit(node.value)
        if _is_none(value):
            return ast.Constant(None)
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            key: ast.expr = _call(
                self.names.helper("slice"), *(self.visit(bound) if bound else ast.Constant(None) for bound in bounds)
            )
        else:
            key = self.visit(node.slice)
        return _call(self.names.helper("item"), value, key)


class NullSafeRenderer(DirectRenderer):
    """Renders every step with a helper, so that a missing attribute or item is None.

    An operator that Python cannot apply to two values is applied to the numbers as which they are recorded.
    """

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.visit(node.value)
        return value if _is_none(value) else _call(self.names.helper("dot"), value, ast.Constant(node.attr))

    def visit_HeaderAttribute(self, node: HeaderAttribute) -> ast.expr:
        return _call(self.names.helper("header_attribute"), self.visit(node.value), ast.Constant(node.attr))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return self._on_numbers(node.op, node.left, node.right) or super().visit_BinOp(node)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        is_single = len(node.ops) == 1
        return (
            self._on_numbers(node.ops[0], node.left, node.comparators[0]) if is_single else None
        ) or super().visit_Compare(node)

    def _on_numbers(self, op: ast.operator | ast.cmpop, left: ast.expr, right: ast.expr) -> ast.expr | None:
        helper = _NUMBER_OPERATORS.get(type(op))
        return None if helper is None else _call(self.names.helper(helper), self.visit(left), self.visit(right))
