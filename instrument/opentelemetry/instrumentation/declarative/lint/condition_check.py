"""Checks the conditions of a plan: which are always true, and which never."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.lint.conditions import Fact, never
from opentelemetry.instrumentation.declarative.lint.plan_parts import lint_warning, parts_of
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import InjectContext, SetField
from opentelemetry.instrumentation.declarative.plan.model import HookPlan, Plan
from opentelemetry.instrumentation.declarative.plan.span_actions import StartSpan
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES, Stage


def condition_warnings(plan: Plan) -> Iterator[Problem]:
    for hooks in plan.hook_groups:
        parameters = {name for hook in hooks for stage in STAGES for name in _set_parameters(hook.actions[stage])}
        for hook in hooks:
            if hook.when is not None:
                yield from _without_effect(hook.when, f'the hook "{hook.hook.name}"')
            for stage in STAGES:
                for action in hook.actions[stage]:
                    yield from _check_action(action, hook, stage, parameters)
    yield from _of_attributes(plan)
    for span in plan.spans.values():
        for status in span.statuses:
            if status.when is not None:
                yield from _without_effect(status.when, f'this status of the span "{span.name}"')
            if status.ok is not None and never([Fact(status.ok.tree)]):
                message = f'"{status.ok.text}" is never true: it never sets the status of the span "{span.name}" to OK'
                yield lint_warning(status.ok.mark, "never-true", message, "remove `ok`, or correct the condition")


def _of_attributes(plan: Plan) -> Iterator[Problem]:
    """Conditions of attributes. Those of a group have the same one, which is reported once."""
    conditions: dict[Mark, AttributePlan] = {}
    for part in parts_of((plan.spans, plan.hook_groups, plan.metrics)):
        if isinstance(part, AttributePlan) and part.when is not None:
            conditions.setdefault(part.when.mark, part)
    for attribute in conditions.values():
        assert attribute.when is not None
        yield from _without_effect(attribute.when, f"the attribute {attribute.key}")


def _set_parameters(actions: list[Action]) -> Iterator[str]:
    """The parameters of the call that these actions set."""
    for action in actions:
        if isinstance(action, SetField):
            targets = [action.field]
        elif isinstance(action, InjectContext):
            targets = [*action.fields.values()]
        else:
            continue
        yield from (target.text for target in targets if target.is_name)


def _check_action(action: Action, hook: HookPlan, stage: Stage, parameters: set[str]) -> Iterator[Problem]:
    when = action.when
    if when is None:
        return
    warnings = list(_without_effect(when, action.reference))
    yield from warnings
    if warnings or hook.when is None:
        return
    # Under these names, the action reads other values than the condition of the hook.
    redefined = {*hook.defined_names, *(action.names if isinstance(action, StartSpan) else ()), *parameters}
    before = Fact(hook.when.tree, known_as=_known_before(redefined, "" if stage == "enter" else "before the call: "))
    if never([before, Fact(when.tree)]):
        message = (
            f'"{when.text}" is never true if "{hook.when.text}" is, the condition of the hook "{hook.hook.name}": '
            f"{action.reference} never takes effect"
        )
        yield lint_warning(when.mark, "never-true", message, "remove it, or correct one of the two conditions")


def _known_before(redefined: set[str], prefix: str) -> Callable[[ast.expr], str | None]:
    """How later conditions know the paths in the condition of a hook: names keep their value, fields may change."""

    def known_as(path: ast.expr) -> str | None:
        if any(isinstance(node, ast.Name) and node.id in redefined for node in ast.walk(path)):
            return None
        return ast.unparse(path) if isinstance(path, ast.Name) else prefix + ast.unparse(path)

    return known_as


def _without_effect(when: Expression, subject: str) -> Iterator[Problem]:
    if never([Fact(when.tree)]):
        message = f'"{when.text}" is never true: {subject} never takes effect'
        yield lint_warning(when.mark, "never-true", message, "remove it, or correct the condition")
    elif never([Fact(when.tree, true=False)]):
        message = f'"{when.text}" is always true: it has no effect on {subject}'
        yield lint_warning(when.mark, "always-true", message, "remove `when`, or correct it")
