"""Checks for attributes that can never be read, according to the types in the library's annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import UnreadablePath, unreadable_path
from opentelemetry.instrumentation.declarative.patching.targets import PatchPoint
from opentelemetry.instrumentation.declarative.plan.actions import Action, EndSpan, RecordSpan, SpanAction, TraceCall
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES


class AttributeCheck:
    """Checks the attributes of one plan. An attribute read on several callables is reported if none of them has it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._results: dict[Mark, tuple[AttributePlan, list[UnreadablePath | None]]] = {}

    def add(self, call: CallPlan, point: PatchPoint, raw: Any) -> None:
        """Check what is read on a callable."""
        owner = point.owner if isinstance(point.owner, type) else None
        for hook in call.hooks:
            for attribute, given in self._attributes(hook):
                try:
                    unreadable = unreadable_path(attribute.expression, raw, owner, held=point.value, given=given)
                except Exception:  # evaluating the library's annotations can raise anything
                    unreadable = None
                self._results.setdefault(attribute.expression.mark, (attribute, []))[1].append(unreadable)

    def problems(self) -> Iterator[Problem]:
        """The attributes that no callable added so far can give a value."""
        for attribute, results in self._results.values():
            unreadable = results[0]
            if unreadable is None or not all(results):
                continue
            suggestion = unreadable.suggestion
            help = f'did you mean "{suggestion}"?' if suggestion else "see what can be read with `instrument explain`"
            message = f"{unreadable.path} never exists: the attribute {attribute.key} is never recorded"
            yield Problem(unreadable.mark, "never-readable", message, help, "warning")

    def _attributes(self, hook: HookPlan) -> Iterator[tuple[AttributePlan, frozenset[str]]]:
        """The attributes read at the stages of a hook, each with the names that the spec defines there."""
        given = frozenset({*hook.unpack, *hook.names, *self._plan.context_values})
        for stage in STAGES:
            for action in hook.actions[stage]:
                for attribute in _attributes_of(action):
                    yield attribute, given | action.given_names


def _attributes_of(action: Action) -> Iterator[AttributePlan]:
    yield from action.attributes
    if isinstance(action, SpanAction):
        span = action.span
        for attribute in span.attributes:
            at_start = span.is_read_at_start(attribute.expression.names)
            if isinstance(action, (TraceCall, RecordSpan)) or at_start != isinstance(action, EndSpan):
                yield attribute
