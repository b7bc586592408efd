"""Expressions and name templates that have been parsed and checked."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions.headers import FIELDS
from opentelemetry.instrumentation.declarative.expressions.render import (
    DirectRenderer,
    HelperCall,
    NullSafeRenderer,
    TraceContextPaths,
    value_of_attribute,
)
from opentelemetry.instrumentation.declarative.expressions.source_names import SourceNames
from opentelemetry.instrumentation.declarative.expressions.trees import copied, with_undecided_constants
from opentelemetry.instrumentation.declarative.records import record


class ExpressionError(Exception):
    """An expression or template cannot be used. Carries its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@record(frozen=True)
class Expression:
    """A checked expression: its text and mark, the names that it reads, and the functions that it calls."""

    text: str
    mark: Mark
    names: frozenset[str]
    functions: frozenset[str]
    tree: ast.expr
    name_marks: Mapping[str, Mark]

    @classmethod
    def of_constant(cls, value: Any, mark: Mark) -> Expression:
        """The expression of a fixed value: text, a number, true or false, or a list of these."""
        tree: ast.expr = ast.Constant(value)
        if isinstance(value, list):
            tree = ast.List([ast.Constant(each) for each in value], ast.Load())
        return cls(repr(value), mark, frozenset(), frozenset(), tree, {})

    def if_true(self, condition: Expression, otherwise: Expression | None = None) -> Expression:
        """The expression if a condition is true, or else another one or None."""
        parts = [condition, self, *([otherwise] if otherwise else [])]
        return replace(
            self,
            names=frozenset().union(*(part.names for part in parts)),
            functions=frozenset().union(*(part.functions for part in parts)),
            tree=ast.IfExp(condition.tree, self.tree, otherwise.tree if otherwise else ast.Constant(None)),
            name_marks={name: mark for part in reversed(parts) for name, mark in part.name_marks.items()},
        )

    def together_with(self, condition: Expression) -> Expression:
        """The condition that this one and another one are true."""
        return replace(
            self,
            text=f"({self.text}) and ({condition.text})",
            names=self.names | condition.names,
            functions=self.functions | condition.functions,
            tree=ast.BoolOp(ast.And(), [self.tree, condition.tree]),
            name_marks={**condition.name_marks, **self.name_marks},
        )

    def undecided(self) -> Expression:
        """The expression without constants that are known, which may come from environment variables."""
        return replace(self, tree=with_undecided_constants(self.tree))

    def conjuncts(self) -> list[Expression]:
        """The conditions that are all true if this one is: the operands of `and`."""
        if not (isinstance(self.tree, ast.BoolOp) and isinstance(self.tree.op, ast.And)):
            return [self]
        return [part for tree in self.tree.values for part in self._part(tree).conjuncts()]

    def _part(self, tree: ast.expr) -> Expression:
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return replace(self, tree=tree, names=self.names & read, functions=self.functions & read)

    def unless_empty(self) -> Expression:
        """The expression, or None if its value is empty: an empty text or collection, zero, or false."""
        return replace(self, tree=value_of_attribute(ast.BoolOp(ast.Or(), [self.tree, ast.Constant(None)])))

    def direct(self, names: SourceNames) -> str:
        """The expression as Python source that reads directly and raises if a step is missing."""
        return ast.unparse(DirectRenderer(names).visit(self.tree))

    def direct_condition(self, names: SourceNames) -> str:
        """The same, of an expression that is true or false."""
        return ast.unparse(DirectRenderer(names).condition(self.tree))

    def null_safe(self, names: SourceNames) -> str:
        """The expression as Python source in which a missing step is None."""
        return ast.unparse(NullSafeRenderer(names).visit(self.tree))

    def null_safe_condition(self, names: SourceNames) -> str:
        return ast.unparse(NullSafeRenderer(names).condition(self.tree))

    def assignment_target(self, names: SourceNames) -> str:
        """The field that the expression names as Python source for the left side of an assignment."""
        tree = copied(self.tree)
        assert isinstance(tree, (ast.Attribute, ast.Subscript))
        tree.value = DirectRenderer(names).visit(tree.value)
        if isinstance(tree, ast.Subscript):
            tree.slice = DirectRenderer(names).visit(tree.slice)
        return ast.unparse(tree)

    def of_key(self) -> Expression:
        """The same expression for a key. A tuple is missing if one of its parts is: it would not identify anything."""
        return (
            replace(self, tree=HelperCall.of("key_of", *self.tree.elts)) if isinstance(self.tree, ast.Tuple) else self
        )

    def of_trace_context(self) -> Expression:
        """The same expression, whose paths end at a field of trace context, in any of the forms of carriers."""
        return replace(self, tree=TraceContextPaths().visit(copied(self.tree)))

    def injection(self, names: SourceNames, value: str) -> str:
        """A statement that writes trace context to the field that the expression names."""
        assert isinstance(self.tree, (ast.Attribute, ast.Subscript))
        if isinstance(self.tree, ast.Attribute) and self.tree.attr not in FIELDS:
            return f"{self.assignment_target(names)} = {value}"
        helper, field = (
            ("set_header", self.tree.slice)
            if isinstance(self.tree, ast.Subscript)
            else ("set_header_attribute", ast.Constant(self.tree.attr))
        )
        renderer = DirectRenderer(names)
        arguments = [renderer.visit(part) for part in (self.tree.value, field)]
        call = ast.Call(ast.Name(names.helper(helper), ast.Load()), [*arguments, ast.Name(value, ast.Load())], [])
        return ast.unparse(call)

    @property
    def total(self) -> bool:
        """Whether the direct form has no step that can fail, other than ``==`` and ``bool`` of the program."""
        steps = (ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.JoinedStr, ast.ListComp, ast.Dict)
        return not any(
            isinstance(node, steps)
            or (isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not))
            or (isinstance(node, ast.Compare) and not _safe(node))
            for node in ast.walk(self.tree)
        )

    @property
    def is_name(self) -> bool:
        """Whether the expression is only a name."""
        return isinstance(self.tree, ast.Name)

    @property
    def assignable(self) -> bool:
        """Whether the expression is a field (``a.b`` or ``a["b"]``) that can be set."""
        return isinstance(self.tree, (ast.Attribute, ast.Subscript)) and not any(
            isinstance(node, (ast.Call, ast.Slice, ast.ListComp)) for node in ast.walk(self.tree)
        )


def _safe(node: ast.Compare) -> bool:
    """Whether a comparison accepts any values: equality, identity, or ``in`` a list of the expression itself."""
    return all(
        isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)) or isinstance(right, (ast.Tuple, ast.List))
        for op, right in zip(node.ops, node.comparators, strict=True)
        if not isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
    ) and not any(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in node.ops)


@record(frozen=True)
class Template:
    """A name with expressions in braces. Its parts are plain text and expressions."""

    text: str
    mark: Mark
    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names for part in self.parts if isinstance(part, Expression)))

    @property
    def constant(self) -> str | None:
        """The name, if it has no expressions."""
        return None if any(isinstance(part, Expression) for part in self.parts) else "".join(map(str, self.parts))

    @property
    def literal(self) -> str:
        """The name without its expressions, for when none of them has a value."""
        return " ".join("".join(part for part in self.parts if isinstance(part, str)).split())
