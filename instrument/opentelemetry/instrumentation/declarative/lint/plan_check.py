"""Checks a plan for what has no effect.

Only certain findings are reported, as warnings: the spec can be used. The plan must be made to check a spec: otherwise,
names that only content reads would seem to be unused.
"""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.expressions.constants import constant, is_missing
from opentelemetry.instrumentation.declarative.lint.condition_check import condition_warnings
from opentelemetry.instrumentation.declarative.lint.conditions import Fact, never
from opentelemetry.instrumentation.declarative.lint.expression_roles import roles_of
from opentelemetry.instrumentation.declarative.lint.plan_parts import lint_warning, parts_of
from opentelemetry.instrumentation.declarative.lint.repetitions import repetitions
from opentelemetry.instrumentation.declarative.lint.unit_check import unit_warnings
from opentelemetry.instrumentation.declarative.lint.unused import unused
from opentelemetry.instrumentation.declarative.plan.call_actions import RecordMetric
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan
from opentelemetry.instrumentation.declarative.plan.stages import OUTCOME_NAMES, OUTCOME_NAMES_AT, STAGES, is_evaluated

#: The parts of rules without whose value they do nothing.
_ALWAYS_NEEDED = frozenset({"key", "value", "parents", "links", "start_time", "end_time", "owner"})


def plan_warnings(plan: Plan, *, is_complete: bool) -> list[Problem]:
    """Warnings about what has no effect in a plan. If it is not complete, what seems to be unused may be used."""
    checks = (
        *([unused] if is_complete else []),
        condition_warnings,
        _never_recorded,
        _always_missing,
        _never_measured,
        unit_warnings,
    )
    warnings = (*(check(plan) for check in checks), repetitions(plan.spec))
    return list(dict.fromkeys(warning for group in warnings for warning in group))


def _always_missing(plan: Plan) -> Iterator[Problem]:
    """Everything but attributes and conditions that never has a value."""
    roles = {role.expression.mark: role for hook in plan.hooks for role in roles_of(hook)}
    for mark, role in roles.items():
        if role.part in _ALWAYS_NEEDED and is_missing(role.expression.tree, frozenset()):
            message = f'"{role.expression.text}" is always missing: {role.title} {role.effect}'
            yield lint_warning(mark, "never-recorded", message, "read a value of the call, or remove it")


def _never_measured(plan: Plan) -> Iterator[Problem]:
    """Fixed values that an instrument does not accept."""
    counters = {metric.name for metric in plan.metrics if metric.instrument == "counter"}
    for action in (each for each in parts_of(plan.hook_groups) if isinstance(each, RecordMetric) and each.value):
        assert action.value is not None
        known, value = constant(action.value.tree)
        if not known or value is None:
            continue
        message = f"{action.value.text} is not a number: {action.reference} is never recorded"
        help = "write a number without inner quotes, or read a value of the call"
        if isinstance(value, int | float):
            message = f"a counter cannot go down: {action.value.text} is never added"
            help = "make it an up_down_counter, or add a value that is not negative"
        if not isinstance(value, int | float) or (value < 0 and action.name in counters):
            yield lint_warning(action.value.mark, "never-recorded", message, help)


def _never_recorded(plan: Plan) -> Iterator[Problem]:
    for part in parts_of((plan.spans, plan.hook_groups)):
        if not isinstance(part, AttributePlan) or (part.when is not None and never([Fact(part.when.tree)])):
            continue  # a condition that is never true is reported on its own
        if _is_never_recorded(part.expression):
            message = f'"{part.expression.text}" is always missing: the attribute {part.key} is never recorded'
            help = "remove it; in a spec that extends another, `null` removes an attribute"
            if part.expression.names >= {"result", "error"}:
                help = "result and error never exist together: read them in two attributes, or combine them with `or`"
            yield lint_warning(part.expression.mark, "never-recorded", message, help)


def _is_never_recorded(expression: Expression) -> bool:
    """Whether an expression is missing at every stage at which it is evaluated."""
    reads_outcome = not expression.names.isdisjoint(OUTCOME_NAMES)
    return all(
        is_missing(expression.tree, OUTCOME_NAMES - OUTCOME_NAMES_AT[stage] if reads_outcome else frozenset())
        for stage in STAGES
        if is_evaluated(expression, stage)
    )
