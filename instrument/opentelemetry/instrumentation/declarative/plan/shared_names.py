"""The names that all expressions of a spec share: an expression that reads one contains the expression of the name."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.expressions import Expression, ExpressionError
from opentelemetry.instrumentation.declarative.expressions.trees import MAX_EXPRESSION_DEPTH, copied, tree_depth

#: The most nodes of an expression with all names in it.
_MAX_NODES = 2_000


class SharedNames:
    """The expressions of shared names, in the order in which they are defined: each can read those before it."""

    def __init__(self) -> None:
        self._values: dict[str, Expression] = {}
        self.used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def define(self, name: str, value: Expression) -> None:
        """Add a name. In its own expression, the name is that of a parameter."""
        self._values[name] = self.expanded(value)

    def expanded(self, expression: Expression) -> Expression:
        """The expression with those of its names in it. Raises ExpressionError if it is then too large."""
        read = expression.names & self._values.keys()
        if not read:
            return expression
        self.used |= read
        values = {name: self._values[name] for name in read}
        tree = _Expansion(values).visit(copied(expression.tree))
        _check_size(tree, expression)
        parts = [replace(expression, names=expression.names - read), *values.values()]
        marks = {name: mark for name, mark in expression.name_marks.items() if name not in read}
        return replace(
            expression,
            tree=tree,
            names=frozenset().union(*(part.names for part in parts)),
            functions=frozenset().union(*(part.functions for part in parts)),
            name_marks={name: mark for part in parts[:0:-1] for name, mark in part.name_marks.items()} | marks,
        )


class _Expansion(ast.NodeTransformer):
    """Replaces names with their expressions."""

    def __init__(self, values: Mapping[str, Expression]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._values.get(node.id)
        return node if value is None else copied(value.tree)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        (generator,) = node.generators
        generator.iter = self.visit(generator.iter)
        assert isinstance(generator.target, ast.Name)
        item = generator.target.id
        inner = {name: value for name, value in self._values.items() if name != item}
        outside = frozenset[str]().union(*(value.names for value in inner.values()))
        if item in outside:  # the item must not hide a name that an expression reads
            own = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            renamed = _unused(item, outside | own)
            generator.target = ast.Name(renamed, ast.Store())
            inner[item] = replace(next(iter(inner.values())), tree=ast.Name(renamed, ast.Load()))
        expand = _Expansion(inner).visit
        node.elt = expand(node.elt)
        generator.ifs = [expand(condition) for condition in generator.ifs]
        return node


def _unused(name: str, taken: frozenset[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _check_size(tree: ast.expr, expression: Expression) -> None:
    nodes = [*ast.walk(tree)]
    nested = any(
        isinstance(inner, ast.ListComp)
        for node in nodes
        if isinstance(node, ast.ListComp)
        for part in (node.elt, *node.generators[0].ifs)
        for inner in ast.walk(part)
    )
    if len(nodes) > _MAX_NODES or tree_depth(tree) > MAX_EXPRESSION_DEPTH or nested:
        why = "a comprehension in another one" if nested else "too long"
        message = f"with the expressions of its names, this expression is {why}"
        help = "use a Python function under `functions` instead"
        raise ExpressionError([Problem(expression.mark, "expression-too-long", message, help)])
