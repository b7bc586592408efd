"""Renders parsed expressions as Python source: directly, or null-safe."""

from __future__ import annotations

import ast
from collections.abc import Callable

from opentelemetry.instrumentation.declarative.expressions.helpers import COMPARISONS, OPERATORS, SYMBOLS
from opentelemetry.instrumentation.declarative.expressions.operators import MAPPING_NAMES
from opentelemetry.instrumentation.declarative.expressions.source_names import SourceNames

#: Comparisons that None does not support.
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
#: What is always true or false, or is never ``NA`` or ``NaT``.
_PRESENT = (ast.Compare, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.JoinedStr)


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


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_no_number(node: ast.expr) -> bool:
    """Whether a constant is not a number. It is compared as in Python."""
    return isinstance(node, ast.Constant) and not isinstance(node.value, (int, float))


def value_of_attribute(node: ast.BoolOp) -> ast.BoolOp:
    """Mark an operation whose result is the value of an attribute. One that is missing is not recorded anyway."""
    node.is_attribute = True  # type: ignore[attr-defined]
    return node


class DirectRenderer(ast.NodeTransformer):
    """Renders an expression as plain Python, except for operations that in plain Python do more than read.

    The size of `+`, `*`, `%`, f-strings and lists is bounded, `in` does not consume an iterator, and an item of a
    mapping is read without creating it.
    """

    #: Whether the truth of a missing value may be tested where that makes no difference. It may raise.
    tests_missing = True

    def __init__(self, names: SourceNames) -> None:
        self.names = names
        #: The items of the comprehension that is being rendered, by their name in the expression.
        self._items: dict[str, str] = {}
        #: The locals of the surrounding function that it reads.
        self._outer: set[str] = set()

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self._items:
            return ast.Name(self._items[node.id], ast.Load())
        variable = self.names.variable(node.id)
        if self.names.is_local(node.id):
            self._outer.add(variable)
        return ast.Name(variable, ast.Load())

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        """A comprehension as a call, which bounds the number of items. A closure would slow down the whole function."""
        (generator,) = node.generators
        assert isinstance(generator.target, ast.Name)
        values = self.visit(generator.iter)
        if _is_none(values):
            return ast.Constant(None)
        self._items = {generator.target.id: self.names.item(generator.target.id)}
        functions = [
            self._function_of_item(render, node)
            for render, node in [(self.visit, node.elt), *((self.condition, each) for each in generator.ifs)]
        ]
        self._items = {}
        return _call(self.names.helper("comprehension"), values, *functions)

    def _function_of_item(self, render: Callable[[ast.expr], ast.expr], node: ast.expr) -> ast.Lambda:
        """A function of an item. What it reads of the surrounding function is the default of a parameter."""
        self._outer = set()
        body = render(node)
        outer = sorted(self._outer)
        parameters = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(name) for name in (*self._items.values(), *outer)],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[ast.Name(name, ast.Load()) for name in outer],
        )
        return ast.Lambda(parameters, body)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        function, arguments = node.func.id, [self.visit(argument) for argument in node.args]
        if function == "starts_with" and self.names.is_boolean(function) and all(map(_is_text, arguments[1:])):
            return self._comparison_of_beginnings(*arguments)
        return _call(self.names.function(function), *arguments)

    def _comparison_of_beginnings(self, value: ast.expr, *beginnings: ast.expr) -> ast.expr:
        """A call of ``starts_with``. It takes much longer to call the function than to compare two texts."""
        found, read = self._read_once(value)
        compared = ast.Call(ast.Attribute(found, "startswith", ast.Load()), [ast.Tuple([*beginnings], ast.Load())], [])
        otherwise = _call(self.names.function("starts_with"), found, *beginnings)
        return ast.IfExp(self._is_of_type(read, "str"), compared, otherwise)

    def _read_once(self, value: ast.expr) -> tuple[ast.expr, ast.expr]:
        """A value that is used more than once, and the source that reads it the first time."""
        if isinstance(value, ast.Name):
            return value, value
        local = self.names.item("compared")
        return ast.Name(local, ast.Load()), ast.NamedExpr(ast.Name(local, ast.Store()), value)

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
        if _is_none(left) or _is_none(right):
            return ast.Constant(None)
        return _call(self.names.helper(OPERATORS[type(node.op)]), left, right)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        *tested, last = node.values
        if self.tests_missing and getattr(node, "is_attribute", False):
            return ast.BoolOp(node.op, list(map(self.visit, node.values)))
        return ast.BoolOp(node.op, [*(self.condition(each) for each in tested), self.visit(last)])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            return self.visit_BinOp(ast.BinOp(ast.Constant(0), ast.Sub(), node.operand))
        operand = self.condition(node.operand) if isinstance(node.op, ast.Not) else self.visit(node.operand)
        return ast.UnaryOp(node.op, operand)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return ast.IfExp(self.condition(node.test), self.visit(node.body), self.visit(node.orelse))

    def condition(self, node: ast.expr) -> ast.expr:
        """Render an expression whose truth is tested: a missing value that Python considers true is None."""
        rendered: ast.expr = self.visit(node)
        if self._is_never_missing(node) or _is_none(rendered):
            return rendered
        return _call(self.names.helper("present"), rendered)

    def _is_never_missing(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BoolOp):
            return all(map(self._is_never_missing, node.values))
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not isinstance(node, HelperCall)
        return (
            isinstance(node, _PRESENT)
            or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
            or (isinstance(node, ast.Name) and self.names.is_count(node.id))
            or (is_call and self.names.is_boolean(node.func.id))  # type: ignore[attr-defined]
        )

    def visit_List(self, node: ast.List) -> ast.expr:
        return self._listing(node, ast.List([self.visit(each) for each in node.elts], ast.Load()))

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        return self._listing(node, ast.Tuple([self.visit(each) for each in node.elts], ast.Load()))

    def _listing(self, node: ast.List | ast.Tuple, written: ast.expr) -> ast.expr:
        """A list or tuple display. One that contains only constants needs no bound."""
        plain = all(isinstance(each, ast.Constant) for each in node.elts)
        return written if plain else _call(self.names.helper("listing"), written)

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        keys = [key for key in node.keys if key is not None]
        values = map(self.visit, node.values)
        return _call(self.names.helper("mapping"), ast.Tuple(list(keys), ast.Load()), *values)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        rendered = [self.visit(part) for part in parts]
        # Without one of its names, there is no text. A value that is missing is the text "None", as in Python.
        lacks = any(_is_none(value) and self._lacks_name(part) for value, part in zip(rendered, parts, strict=True))
        return ast.Constant(None) if lacks else _call(self.names.helper("text"), *rendered)

    def _lacks_name(self, node: ast.expr) -> bool:
        return any(
            isinstance(each, ast.Name) and each.id not in self._items and self.names.lacks(each.id)
            for each in ast.walk(node)
        )

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        right = [self._comparator(op, each) for op, each in zip(node.ops, node.comparators, strict=True)]
        left = self.visit(node.left)
        if any(isinstance(op, _ORDER) for op in node.ops) and any(map(_is_none, (left, *right))):
            return ast.Constant(None)
        if len(node.ops) == 1:
            return self._comparison(left, node.ops[0], right[0])
        if all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            return ast.Compare(left, node.ops, right)
        symbols = ast.Tuple([ast.Constant(SYMBOLS[type(op)]) for op in node.ops], ast.Load())
        return _call(self.names.helper("compare_all"), symbols, left, *right)

    def _comparator(self, op: ast.cmpop, node: ast.expr) -> ast.expr:
        if not isinstance(op, (ast.In, ast.NotIn)) or isinstance(node, ast.Constant):
            compared: ast.expr = self.visit(node)
            return compared
        if isinstance(node, (ast.Tuple, ast.List)):  # it is only searched
            return type(node)([self.visit(each) for each in node.elts], ast.Load())
        return _call(self.names.helper("collection"), self.visit(node))

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.expr:
        """A comparison: a call of a helper if the operands may be numbers, or be ``NA`` or ``NaT``."""
        listed = isinstance(right, (ast.Tuple, ast.List))
        operands = right.elts if isinstance(right, (ast.Tuple, ast.List)) else [left, right]
        if isinstance(op, (ast.In, ast.NotIn)) and listed and not all(map(_is_no_number, operands)):
            found: ast.expr = _call(self.names.helper("among"), left, right)
            return found if isinstance(op, ast.In) else ast.UnaryOp(ast.Not(), found)
        helper = COMPARISONS.get(type(op))
        if helper is None or (isinstance(op, (ast.Eq, ast.NotEq)) and any(map(_is_no_number, operands))):
            return ast.Compare(left, [op], [right])
        if isinstance(right, ast.Constant) and type(right.value) in (int, float):
            return self._number_comparison(left, op, right, helper)
        return _call(self.names.helper(helper), left, right)

    def _number_comparison(self, left: ast.expr, op: ast.cmpop, right: ast.Constant, helper: str) -> ast.expr:
        """A comparison with a number. It takes much longer to call the helper than to compare two numbers."""
        found, read = self._read_once(left)
        first, second = ("int", "float") if isinstance(right.value, int) else ("float", "int")
        is_number = ast.BoolOp(ast.Or(), [self._is_of_type(read, first), self._is_of_type(found, second)])
        compared = ast.Compare(found, [op], [right])
        return ast.IfExp(is_number, compared, _call(self.names.helper(helper), found, right))

    def _is_of_type(self, value: ast.expr, name: str) -> ast.expr:
        kind = ast.Name(self.names.helper(f"{name}_type"), ast.Load())
        return ast.Compare(_call(self.names.helper("type_of"), value), [ast.Is()], [kind])

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
    """Renders every step with a helper, so that a missing attribute or item is None."""

    tests_missing = False

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.visit(node.value)
        return value if _is_none(value) else _call(self.names.helper("dot"), value, ast.Constant(node.attr))

    def visit_HeaderAttribute(self, node: HeaderAttribute) -> ast.expr:
        return _call(self.names.helper("header_attribute"), self.visit(node.value), ast.Constant(node.attr))
