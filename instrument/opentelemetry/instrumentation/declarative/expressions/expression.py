"""An expression and a name template, parsed and checked."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions.render import Careful, Fast, Rename


class ExpressionError(Exception):
    """An expression that cannot be used; carries its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its text, where it stands, the names it reads and the functions it calls."""

    text: str
    mark: Mark
    names: frozenset[str]
    functions: frozenset[str]
    tree: ast.expr
    name_marks: Mapping[str, Mark]

    def fast(self, rename: Rename) -> str:
        """Python source that reads plainly and raises where a step is missing."""
        return ast.unparse(Fast(rename).visit(deepcopy(self.tree)))

    def careful(self, rename: Rename) -> str:
        """Python source in which whatever is missing on the way is None."""
        return ast.unparse(Careful(rename).visit(deepcopy(self.tree)))

    def field(self, rename: Rename) -> str:
        """Python source of the field that the expression names, to be assigned to."""
        tree = deepcopy(self.tree)
        assert isinstance(tree, (ast.Attribute, ast.Subscript))
        tree.value = Fast(rename).visit(tree.value)
        if isinstance(tree, ast.Subscript):
            tree.slice = Fast(rename).visit(tree.slice)
        return ast.unparse(tree)

    @property
    def total(self) -> bool:
        """Whether the fast form takes no step anywhere: it can fail only through the host's own ``==`` or ``bool``."""
        steps = (ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.JoinedStr)
        return not any(
            isinstance(node, steps)
            or (isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not))
            or (isinstance(node, ast.Compare) and not _safe(node))
            for node in ast.walk(self.tree)
        )

    @property
    def is_name(self) -> bool:
        """Whether the expression is a name and nothing else."""
        return isinstance(self.tree, ast.Name)

    @property
    def assignable(self) -> bool:
        """Whether the expression is a field (``a.b`` or ``a["b"]``) that can be set."""
        return isinstance(self.tree, (ast.Attribute, ast.Subscript)) and not any(
            isinstance(node, (ast.Call, ast.Slice)) for node in ast.walk(self.tree)
        )


def _safe(node: ast.Compare) -> bool:
    """Whether a comparison takes whatever it is given: equality, identity, or `in` a list that stands there."""
    return all(
        isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)) or isinstance(right, (ast.Tuple, ast.List))
        for op, right in zip(node.ops, node.comparators, strict=True)
        if not isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
    ) and not any(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in node.ops)


@dataclass(frozen=True, slots=True)
class Template:
    """A name with expressions in braces; the parts are plain text and expressions in turn."""

    text: str
    mark: Mark
    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names for part in self.parts if isinstance(part, Expression)))

    @property
    def constant(self) -> str | None:
        """The name itself where it holds no expression."""
        return None if any(isinstance(part, Expression) for part in self.parts) else "".join(map(str, self.parts))

    @property
    def literal(self) -> str:
        """The name with every expression left out: what remains when none can be read."""
        return " ".join("".join(part for part in self.parts if isinstance(part, str)).split())
