"""Checks for what can never be read, according to the types in the library's annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.lint.expression_roles import Role, roles_of
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import UnreadablePath, unreadable_path
from opentelemetry.instrumentation.declarative.patching.targets import PatchPoint
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan


class ReadableCheck:
    """Checks the expressions of one plan. One that is read on several callables is reported if none of them has it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._results: dict[Mark, tuple[Role, list[UnreadablePath | None]]] = {}

    def add(self, call: CallPlan, point: PatchPoint, raw: Any) -> None:
        """Check what is read on a callable."""
        owner = point.owner if isinstance(point.owner, type) else None
        for hook in call.hooks:
            for role in roles_of(hook):
                given = role.given.union(self._plan.context_values)
                try:
                    unreadable = unreadable_path(role.expression, raw, owner, held=point.value, given=given)
                except Exception:  # evaluating the library's annotations can raise anything
                    unreadable = None
                self._results.setdefault(role.expression.mark, (role, []))[1].append(unreadable)

    def problems(self) -> Iterator[Problem]:
        """What no callable added so far can give a value."""
        for role, results in self._results.values():
            unreadable = results[0]
            if unreadable is None or not all(results):
                continue
            suggestion = unreadable.suggestion
            help = f'did you mean "{suggestion}"?' if suggestion else unreadable.help
            effect = role.effect if unreadable.decides else "is evaluated without it"
            message = f"{unreadable.path} {unreadable.why}: {role.title} {effect}"
            yield Problem(unreadable.mark, "never-readable", message, help, "warning")
