"""Finds expressions that are constant, never true, or always missing, without evaluating the program's values.

Only certain findings count. It assumes that values compare as strings and numbers do, and that a name keeps its value.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.expressions.constants import constant


class Fact(NamedTuple):
    """An expression that is true, or is not. ``known_as`` returns a name for each path in it.

    Paths with the same name have the same value. A path without a name, None, can have any value.
    """

    tree: ast.expr
    true: bool = True
    known_as: Callable[[ast.expr], str | None] = ast.unparse


def never(facts: Iterable[Fact]) -> bool:
    """Whether these facts certainly exclude each other."""
    atoms: list[Fact] = []
    choices: list[list[Fact]] = []
    remaining = list(facts)
    while remaining:
        fact = remaining.pop()
        tree = fact.tree
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
            remaining.append(fact._replace(tree=tree.operand, true=not fact.true))
        elif isinstance(tree, ast.BoolOp):
            parts = [fact._replace(tree=value) for value in tree.values]
            if isinstance(tree.op, ast.And) is fact.true:
                remaining += parts
            else:
                choices.append(parts)
        else:
            atoms.append(fact)
    return _contradict(atoms) or any(all(never([*atoms, each]) for each in parts) for parts in choices)


class _Constraints:
    """The constraints on one value: the only ones possible, those excluded, and whether it is true."""

    def __init__(self) -> None:
        self.possible: set[Any] | None = None
        self.excluded: set[Any] = set()
        self.truths: set[bool] = set()

    def are_contradictory(self) -> bool:
        if len(self.truths) > 1:
            return True
        if self.possible is None:
            return False
        return not [v for v in self.possible if v not in self.excluded and not self.truths - {bool(v)}]


def _contradict(atoms: list[Fact]) -> bool:
    constraints: dict[str, _Constraints] = {}
    for fact in atoms:
        is_constant, value = constant(fact.tree)
        if is_constant and bool(value) is not fact.true:
            return True
        subject, possible, excluded = _comparison(fact)
        name = fact.known_as(subject) if _is_path(subject) else None
        if name is None:
            continue
        known = constraints.setdefault(name, _Constraints())
        if subject is fact.tree:
            known.truths.add(fact.true)
        if possible is not None:
            known.possible = possible if known.possible is None else known.possible & possible
        known.excluded |= excluded
    return any(known.are_contradictory() for known in constraints.values())


def _comparison(fact: Fact) -> tuple[ast.expr, set[Any] | None, set[Any]]:
    """The subject of a fact, the only values it can have if they are known, and values that it does not have."""
    tree = fact.tree
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1:
        return tree, None, set()
    left, op, right = tree.left, tree.ops[0], tree.comparators[0]
    if isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
        if isinstance(left, ast.Constant):
            left, right = right, left
        values = {right.value} if isinstance(right, ast.Constant) else None
        same = isinstance(op, (ast.Eq, ast.Is)) is fact.true
        if values is not None and not same and isinstance(op, (ast.Is, ast.IsNot)):
            values = values & {None}  # a value that is not True may still equal it
    elif isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, (ast.List, ast.Tuple)):
        constants = {each.value for each in right.elts if isinstance(each, ast.Constant)}
        values = constants if all(isinstance(each, ast.Constant) for each in right.elts) else None
        same = isinstance(op, ast.In) is fact.true
    else:
        return tree, None, set()
    if values is None:
        return tree, None, set()
    return (left, values, set()) if same else (left, None, values)


def _is_path(tree: ast.expr) -> bool:
    """Whether an expression is a name, or an attribute or constant item of a path."""
    if isinstance(tree, ast.Attribute):
        return _is_path(tree.value)
    if isinstance(tree, ast.Subscript):
        return isinstance(tree.slice, ast.Constant) and _is_path(tree.value)
    return isinstance(tree, ast.Name)
