"""Checked expressions back to Python source, in the fast form and in the careful one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.expressions.functions import cut_content, hashed_content
from opentelemetry.instrumentation.declarative.expressions.operators import (
    MAPPING_NAMES,
    add,
    collection,
    dot,
    item,
    listing,
    multiply,
    remainder,
    text,
)

#: How a name is written in the source: a plain name as it is, a function as ``name()``, one of HELPERS as ``.name()``.
Rename = Callable[[str], str]

#: What the written source itself needs.
HELPERS: Mapping[str, Callable[..., object]] = {
    ".add()": add,
    ".collection()": collection,
    ".cut_content()": cut_content,
    ".dot()": dot,
    ".hashed_content()": hashed_content,
    ".item()": item,
    ".listing()": listing,
    ".multiply()": multiply,
    ".remainder()": remainder,
    ".slice()": slice,
    ".text()": text,
}


_OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: ".add()",
    ast.Mod: ".remainder()",
    ast.Mult: ".multiply()",
}


#: Functions that no expression can name; a plan puts them around what reads content.
CUT_CONTENT, HASHED_CONTENT = ".cut_content", ".hashed_content"


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


class Fast(ast.NodeTransformer):
    """Renames names and functions, and replaces what in plain Python does more than read.

    That is `+`, `*`, `%`, f-strings and lists, which are bounded; `in`, which uses no iterator up; and an item of a
    mapping that makes what is missing.
    """

    def __init__(self, rename: Rename) -> None:
        self.rename = rename

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.rename(node.id), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        return _call(self.rename(f"{node.func.id}()"), *(self.visit(argument) for argument in node.args))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.visit(node.value)
        if node.attr in MAPPING_NAMES:
            return _call(self.rename(".dot()"), value, ast.Constant(node.attr))
        return ast.Attribute(value, node.attr, ast.Load())

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        helper = _OPERATORS.get(type(node.op))
        if helper is not None:
            return _call(self.rename(helper), left, right)
        return ast.BinOp(left, node.op, right)

    def visit_List(self, node: ast.List) -> ast.expr:
        return self._listing(node, ast.List([self.visit(each) for each in node.elts], ast.Load()))

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        return self._listing(node, ast.Tuple([self.visit(each) for each in node.elts], ast.Load()))

    def _listing(self, node: ast.List | ast.Tuple, written: ast.expr) -> ast.expr:
        """A list that is written out: one of literals holds no other."""
        plain = all(isinstance(each, ast.Constant) for each in node.elts)
        return written if plain else _call(self.rename(".listing()"), written)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        return _call(self.rename(".text()"), *(self.visit(part) for part in parts))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        right = [self.visit(each) for each in node.comparators]
        for index, (op, each) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if not isinstance(op, (ast.In, ast.NotIn)) or isinstance(each, ast.Constant):
                continue
            if isinstance(each, (ast.Tuple, ast.List)):  # it is only looked through
                right[index] = type(each)([self.visit(inner) for inner in each.elts], ast.Load())
            else:
                right[index] = _call(self.rename(".collection()"), right[index])
        return ast.Compare(self.visit(node.left), node.ops, right)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            key: ast.expr = _call(
                self.rename(".slice()"), *(self.visit(bound) if bound else ast.Constant(None) for bound in bounds)
            )
        else:
            key = self.visit(node.slice)
        return _call(self.rename(".item()"), self.visit(node.value), key)


class Careful(Fast):
    """As fast, but every attribute is read with `dot` too: whatever is missing is None."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return _call(self.rename(".dot()"), self.visit(node.value), ast.Constant(node.attr))
