"""Generates the branch for calls to which no rule of a wrapper applies, where a single comparison shows that."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from opentelemetry.instrumentation.declarative.plan.model import HookPlan
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator
from opentelemetry.instrumentation.declarative.wrappers.own_reading_code import passing_lines
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature

#: The texts one of which each of these names must be if a condition is true.
_Required = dict[str, frozenset[str]]


def rejection_lines(hooks: Iterable[HookPlan], signature: Signature, names: NameAllocator, original: str) -> Lines:
    """The lines that only call the original if a parameter is a text for which no condition of these hooks is true."""
    if signature.mode != "direct":
        return []
    required = _required_by_all([{} if hook.when is None else _required(hook.when.tree) for hook in hooks])
    for name, texts in required.items():
        if name in signature.parameters:
            expected = names.constant(f"expected_{name}", texts)
            # The comparison of another type could run code of the application.
            kind, text = names.builtin("type"), names.constant("text_type", str)
            condition = f"{kind}({name}) is {text} and {name} not in {expected}"
            return [f"if {condition}:", *passing_lines(signature, names, original)]
    return []


def _required(condition: ast.expr) -> _Required:
    if isinstance(condition, ast.BoolOp):
        parts = [_required(value) for value in condition.values]
        if isinstance(condition.op, ast.Or):
            return _required_by_all(parts)
        return {name: texts for part in parts for name, texts in part.items()}
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1 and isinstance(condition.left, ast.Name):
        texts = _texts(condition.ops[0], condition.comparators[0])
        return {condition.left.id: texts} if texts else {}
    return {}


def _texts(operator: ast.cmpop, right: ast.expr) -> frozenset[str]:
    listed: list[ast.expr] = []
    if isinstance(operator, ast.Eq):
        listed = [right]
    elif isinstance(operator, ast.In) and isinstance(right, (ast.Tuple, ast.List)):
        listed = right.elts
    values = [each.value if isinstance(each, ast.Constant) else None for each in listed]
    return frozenset(each for each in values if isinstance(each, str)) if None not in values else frozenset()


def _required_by_all(parts: list[_Required]) -> _Required:
    """What is required whichever of several conditions is true."""
    first, *others = parts
    common = [name for name in first if all(name in part for part in others)]
    return {name: frozenset().union(*(part[name] for part in parts)) for name in common}
