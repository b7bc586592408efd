"""Expressions that are constant, or certainly missing, found without values of the program."""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.expressions.render import DirectRenderer, HelperCall
from opentelemetry.instrumentation.declarative.expressions.source_names import PlainNames
from opentelemetry.instrumentation.declarative.expressions.trees import copied, is_undecided

_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def constant(tree: ast.expr, added: Collection[str] = ()) -> tuple[bool, Any]:
    """Whether an expression is constant, and its value. The value of one that fails is None.

    ``added``: the functions that a spec adds, of which nothing is known.
    """
    if isinstance(tree, ast.Constant):
        return (False, None) if is_undecided(tree) else (True, tree.value)
    functions: set[ast.AST] = set()
    for node in ast.walk(tree):  # a call is visited before the name of its function
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) and node.func.id not in added else ""
            function = FUNCTIONS.get(name)
            if function is None or function.varies:
                return False, None
            functions.add(node.func)
        elif (isinstance(node, ast.Name) and node not in functions) or is_undecided(node):
            return False, None
    return True, _value_of(ast.unparse(DirectRenderer(PlainNames()).visit(copied(tree))))


@functools.lru_cache(maxsize=1000)
def _value_of(source: str) -> Any:
    """Evaluate source rendered from a checked tree of constants and functions of the language. None if it fails."""
    functions = {name: function.call for name, function in FUNCTIONS.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(source, {"__builtins__": {}, **PlainNames().namespace(functions)})
    except Exception:
        return None


def folded(tree: ast.expr, added: Collection[str] = ()) -> ast.expr:
    """The expression with each constant call replaced by its value, such as ``split("a,b", ",")`` by ``["a", "b"]``.

    A call that fails or returns None is left, so that a failure is reported when the expression is evaluated.
    """
    found: ast.expr = _Folded(added).visit(copied(tree))
    return found


class _Folded(ast.NodeTransformer):
    def __init__(self, added: Collection[str]) -> None:
        self.added = added

    def visit_Call(self, node: ast.Call) -> ast.AST:
        known, value = constant(node, self.added)
        return (_literal(value) if known else None) or self.generic_visit(node)


def _literal(value: Any) -> ast.expr | None:
    """The source of a plain value; None if it has none."""
    if isinstance(value, list):
        items = [each if isinstance(each, ast.Constant) else None for each in map(_literal, value)]
        return None if None in items else ast.List(items, ast.Load())  # type: ignore[arg-type]
    return ast.Constant(value) if type(value) in (str, int, float, bool) else None


class _Absent(ast.NodeTransformer):
    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(None) if node.id in self.names else node


def without(tree: ast.expr, absent: frozenset[str]) -> ast.expr:
    """The expression as it is if these names are None."""
    found: ast.expr = _Absent(absent).visit(copied(tree))
    return found


def is_missing(tree: ast.expr, absent: frozenset[str]) -> bool:
    """Whether an expression is certainly None if these names are."""
    known, value = constant(tree)
    if known:
        return value is None
    if isinstance(tree, ast.Name):
        return tree.id in absent
    if isinstance(tree, (ast.Attribute, ast.Subscript)):
        return is_missing(tree.value, absent)
    if isinstance(tree, ast.ListComp):
        return is_missing(tree.generators[0].iter, absent)
    if isinstance(tree, ast.BinOp):
        return is_missing(tree.left, absent) or is_missing(tree.right, absent)
    if isinstance(tree, ast.Compare) and all(isinstance(op, _ORDER) for op in tree.ops):
        return any(is_missing(each, absent) for each in (tree.left, *tree.comparators))
    if isinstance(tree, ast.JoinedStr):  # without one of its names, there is no text
        parts = [part.value for part in tree.values if isinstance(part, ast.FormattedValue)]
        return any(is_missing(each, absent) for each in parts if not constant(each)[0])
    if isinstance(tree, ast.BoolOp):
        if isinstance(tree.op, ast.And):
            return is_missing(tree.values[0], absent)
        return all(is_missing(value, absent) for value in tree.values)
    if isinstance(tree, ast.IfExp):
        known, value = constant(tree.test)
        branches = [tree.body if value else tree.orelse] if known else [tree.body, tree.orelse]
        return all(is_missing(branch, absent) for branch in branches)
    if isinstance(tree, HelperCall):
        return is_missing(tree.args[0], absent)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        function = FUNCTIONS.get(tree.func.id)
        return (
            function is not None
            and function.none_if_none
            and all(is_missing(each, absent) for each in (tree.args if function.variadic else tree.args[:1]))
        )
    return False
