"""What can be said of an expression without running anything: that it is constant, never true, or always missing.

Only what is certain is said. A value is taken to compare as texts and numbers do, and a name to keep its value.
"""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.expressions.render import HELPERS, Fast

#: Functions of the language that do not give None where they are given None.
_ANSWERING = frozenset({"bool", "ends_with", "is_a", "like", "starts_with"})


class Fact(NamedTuple):
    """That an expression, or a part of one, is true or is not. ``known_as`` tells what a path in it stands for.

    Two paths that are known by one name have one value; one that is known as None may have any.
    """

    tree: ast.expr
    true: bool = True
    known_as: Callable[[ast.expr], str | None] = ast.unparse


def constant(tree: ast.expr) -> tuple[bool, Any]:
    """Whether an expression is the same always, and then its value; one that fails is missing, and so is None."""
    if isinstance(tree, ast.Constant):
        return True, tree.value
    functions: set[ast.AST] = set()
    for node in ast.walk(tree):  # a call comes before the name of what it calls
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
                return False, None
            functions.add(node.func)
        elif isinstance(node, ast.Name) and node not in functions:
            return False, None
    written = ast.unparse(Fast(lambda name: name.strip(".()")).visit(deepcopy(tree)))
    return True, _value_of(written)


@functools.lru_cache(maxsize=1000)
def _value_of(written: str) -> Any:
    """The value of what `Fast` has written from a checked tree of literals and the language's own functions."""
    helpers = {name.strip(".()"): helper for name, helper in HELPERS.items()}
    functions = {name: function for name, (function, _, _) in FUNCTIONS.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(written, {"__builtins__": {}, **functions, **helpers})
    except Exception:
        return None


def missing(tree: ast.expr, absent: frozenset[str]) -> bool:
    """Whether an expression is None for certain where these names are."""
    known, value = constant(tree)
    if known:
        return value is None
    if isinstance(tree, ast.Name):
        return tree.id in absent
    if isinstance(tree, (ast.Attribute, ast.Subscript)):
        return missing(tree.value, absent)
    if isinstance(tree, ast.BinOp):
        return missing(tree.left, absent) or missing(tree.right, absent)
    if isinstance(tree, ast.BoolOp):
        if isinstance(tree.op, ast.And):
            return missing(tree.values[0], absent)
        return all(missing(value, absent) for value in tree.values)
    if isinstance(tree, ast.IfExp):
        known, value = constant(tree.test)
        ways = [tree.body if value else tree.orelse] if known else [tree.body, tree.orelse]
        return all(missing(way, absent) for way in ways)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in FUNCTIONS.keys() - _ANSWERING:
        return missing(tree.args[0], absent)
    return False


def never(facts: Iterable[Fact]) -> bool:
    """Whether it is certain that these do not hold together."""
    atoms: list[Fact] = []
    choices: list[list[Fact]] = []
    waiting = list(facts)
    while waiting:
        fact = waiting.pop()
        tree = fact.tree
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
            waiting.append(fact._replace(tree=tree.operand, true=not fact.true))
        elif isinstance(tree, ast.BoolOp):
            parts = [fact._replace(tree=value) for value in tree.values]
            if isinstance(tree.op, ast.And) is fact.true:
                waiting += parts
            else:
                choices.append(parts)
        else:
            atoms.append(fact)
    return _clash(atoms) or any(all(never([*atoms, each]) for each in parts) for parts in choices)


class _Known:
    """What is known of one value: those that it can have at most, those that it has not, and whether it is true."""

    def __init__(self) -> None:
        self.among: set[Any] | None = None
        self.without: set[Any] = set()
        self.truths: set[bool] = set()

    def impossible(self) -> bool:
        if len(self.truths) > 1:
            return True
        if self.among is None:
            return False
        return not [v for v in self.among if v not in self.without and not self.truths - {bool(v)}]


def _clash(atoms: list[Fact]) -> bool:
    known: dict[str, _Known] = {}
    for fact in atoms:
        fixed, value = constant(fact.tree)
        if fixed and bool(value) is not fact.true:
            return True
        subject, among, without = _compared(fact)
        name = fact.known_as(subject) if _is_path(subject) else None
        if name is None:
            continue
        there = known.setdefault(name, _Known())
        if subject is fact.tree:
            there.truths.add(fact.true)
        if among is not None:
            there.among = among if there.among is None else there.among & among
        there.without |= without
    return any(each.impossible() for each in known.values())


def _compared(fact: Fact) -> tuple[ast.expr, set[Any] | None, set[Any]]:
    """What a fact is about, the values it can have at most, and values that it does not have."""
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
            values = values & {None}  # what is not True may still equal it
    elif isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, (ast.List, ast.Tuple)):
        plain = all(isinstance(each, ast.Constant) for each in right.elts)
        values = {each.value for each in right.elts if isinstance(each, ast.Constant)} if plain else None
        same = isinstance(op, ast.In) is fact.true
    else:
        return tree, None, set()
    if values is None:
        return tree, None, set()
    return (left, values, set()) if same else (left, None, values)


def _is_path(tree: ast.expr) -> bool:
    """Whether an expression is a name, or attributes and written items of one."""
    if isinstance(tree, ast.Attribute):
        return _is_path(tree.value)
    if isinstance(tree, ast.Subscript):
        return isinstance(tree.slice, ast.Constant) and _is_path(tree.value)
    return isinstance(tree, ast.Name)
