"""Generates the branch for calls to which no rule of a wrapper applies, where a single comparison shows that."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.expressions.helpers import COMPARISONS, SYMBOLS
from opentelemetry.instrumentation.declarative.plan.model import HookPlan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator
from opentelemetry.instrumentation.declarative.wrappers.own_reading_code import passing_lines
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature


class _Comparison(NamedTuple):
    """A comparison with a number, as in ``> 1000``."""

    symbol: str
    number: str


#: What each of these parameters must be if a condition is true: one of some texts, or a number that compares like this.
_Required = dict[str, frozenset[str] | _Comparison]


def rejection_lines(hooks: Iterable[HookPlan], signature: Signature, names: NameAllocator, original: str) -> Lines:
    """The lines that only call the original if the value of a parameter makes every condition of these hooks false."""
    if signature.mode != "direct":
        return []
    required = _required_by_all([_required_by_hook(hook) for hook in hooks])
    for name, expected in required.items():
        if name in signature.parameters:
            condition = _rejected(name, expected, names)
            return [f"if {condition}:", *passing_lines(signature, names, original)]
    return []


def _rejected(name: str, expected: frozenset[str] | _Comparison, names: NameAllocator) -> str:
    """The condition under which a value is not as expected. The comparison of another type could run code."""
    kind = f"{names.builtin('type')}({name})"
    if isinstance(expected, _Comparison):
        is_number = " or ".join(f"{kind} is {names.constant(f'{each.__name__}_type', each)}" for each in (int, float))
        return f"({is_number}) and not {name} {expected.symbol} {expected.number}"
    if len(expected) == 1:  # quicker than a set
        differs = f"{name} != {next(iter(expected))!r}"
    else:
        differs = f"{name} not in {names.constant(f'expected_{name}', expected)}"
    return f"{kind} is {names.constant('text_type', str)} and {differs}"


def _required_by_hook(hook: HookPlan) -> _Required:
    """What is required for a hook to do anything: by its own condition, or by those of all its actions."""
    own = {} if hook.when is None else _required(hook.when.tree)
    actions = hook.actions["enter"]
    acts_otherwise = hook.hook.values or hook.collections or any(hook.actions[stage] for stage in STAGES[1:])
    if acts_otherwise or hook.each or not actions:
        return own
    defined = hook.defined_names.union(*(action.given_names for action in actions))
    parts = [{} if action.when is None else _required(action.when.tree) for action in actions]
    return {name: each for name, each in _required_by_all(parts).items() if name not in defined} | own


def _required(condition: ast.expr) -> _Required:
    if isinstance(condition, ast.BoolOp):
        parts = [_required(value) for value in condition.values]
        if isinstance(condition.op, ast.Or):
            return _required_by_all(parts)
        return {name: texts for part in parts for name, texts in part.items()}
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1 and isinstance(condition.left, ast.Name):
        expected = _expected(condition.ops[0], condition.comparators[0])
        return {condition.left.id: expected} if expected else {}
    return {}


def _expected(operator: ast.cmpop, right: ast.expr) -> frozenset[str] | _Comparison | None:
    if isinstance(right, ast.Constant) and type(right.value) in (int, float) and type(operator) in COMPARISONS:
        return _Comparison(SYMBOLS[type(operator)], ast.unparse(right))
    listed: list[ast.expr] = []
    if isinstance(operator, ast.Eq):
        listed = [right]
    elif isinstance(operator, ast.In) and isinstance(right, (ast.Tuple, ast.List)):
        listed = right.elts
    values = [each.value if isinstance(each, ast.Constant) else None for each in listed]
    return frozenset(each for each in values if isinstance(each, str)) if None not in values else None


def _required_by_all(parts: list[_Required]) -> _Required:
    """What is required whichever of several conditions is true."""
    first, *others = parts
    found: _Required = {}
    for name, expected in first.items():
        alternatives = {expected, *(part.get(name) for part in others)}
        texts = [each for each in alternatives if isinstance(each, frozenset)]
        if alternatives == {expected}:
            found[name] = expected
        elif len(texts) == len(alternatives):
            found[name] = frozenset[str]().union(*texts)
    return found
