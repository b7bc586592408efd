"""Checks for attributes that can never be read, according to the types in the library's annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import UnreadablePath, unreadable_path
from opentelemetry.instrumentation.declarative.patching.targets import PatchPoint
from opentelemetry.instrumentation.declarative.plan.model import (
    STAGES,
    Action,
    Around,
    Begin,
    CallPlan,
    Finish,
    HookPlan,
    Plan,
    Reading,
    Shot,
)


class AttributeCheck:
    """Checks the attributes of one plan. An attribute read on several callables is reported if none of them has it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._results: dict[Mark, tuple[Reading, list[UnreadablePath | None]]] = {}

    def add(self, call: CallPlan, point: PatchPoint, raw: Any) -> None:
        """Check what is read on a callable."""
        owner = point.owner if isinstance(point.owner, type) else None
        for hook in call.hooks:
            for reading, given in self._readings(hook):
                try:
                    unreadable = unreadable_path(reading.expression, raw, owner, held=point.value, given=given)
                except Exception:  # evaluating the library's annotations can raise anything
                    unreadable = None
                self._results.setdefault(reading.expression.mark, (reading, []))[1].append(unreadable)

    def problems(self) -> Iterator[Problem]:
        """The attributes that no callable added so far can give a value."""
        for reading, results in self._results.values():
            unreadable = results[0]
            if unreadable is None or not all(results):
                continue
            suggestion = unreadable.suggestion
            help = f'did you mean "{suggestion}"?' if suggestion else "see what can be read with `instrument explain`"
            message = f"{unreadable.path} never exists: the attribute {reading.key} is never recorded"
            yield Problem(unreadable.mark, "never-readable", message, help, "warning")

    def _readings(self, hook: HookPlan) -> Iterator[tuple[Reading, set[str]]]:
        """The attributes read at the moments of a hook, each with the names that the spec defines there."""
        given = {*hook.args, *hook.names, *self._plan.carried}
        for stage in STAGES:
            for action in hook.actions[stage]:
                names = given | {*getattr(action, "names", ()), *getattr(getattr(action, "span", None), "counts", ())}
                for reading in _readings_of(action):
                    yield reading, names


def _readings_of(action: Action) -> Iterator[Reading]:
    yield from getattr(action, "readings", ())
    if isinstance(action, (Around, Begin, Finish, Shot)):
        span = action.span
        for reading in span.readings:
            early = span.early(reading.expression.names)
            if isinstance(action, (Around, Shot)) or early == isinstance(action, Begin):
                yield reading
