"""Attributes that can never be read, by the types that the library's annotations give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import Never, never_readable
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


class Unreadable:
    """The attributes of one plan. One that is read on several callables is told where it is never there on any."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._found: dict[Mark, tuple[Reading, list[Never | None]]] = {}

    def look(self, call: CallPlan, point: PatchPoint, raw: Any) -> None:
        """Look at what is read on a callable."""
        owner = point.owner if isinstance(point.owner, type) else None
        for hook in call.hooks:
            for reading, given in self._readings(hook):
                try:
                    never = never_readable(reading.expression, raw, owner, held=point.value, given=given)
                except Exception:  # what its annotations do when they are looked at is the library's own
                    never = None
                self._found.setdefault(reading.expression.mark, (reading, []))[1].append(never)

    def problems(self) -> Iterator[Problem]:
        for reading, verdicts in self._found.values():
            never = verdicts[0]
            if never is None or not all(verdicts):
                continue
            mend = f'did you mean "{never.near}"?' if never.near else "see what can be read with `instrument explain`"
            message = f"{never.path} is never there: the attribute {reading.key} is never recorded"
            yield Problem(never.mark, "never-readable", message, mend, "warning")

    def _readings(self, hook: HookPlan) -> Iterator[tuple[Reading, set[str]]]:
        """What is read at the moments of a hook, each with the names that the spec gives."""
        given = {*hook.args, *hook.names, *self._plan.carried}
        for stage in STAGES:
            for action in hook.actions[stage]:
                names = given | {*getattr(action, "names", ()), *getattr(getattr(action, "span", None), "counts", ())}
                for reading in _read_by(action):
                    yield reading, names


def _read_by(action: Action) -> Iterator[Reading]:
    yield from getattr(action, "readings", ())
    if isinstance(action, (Around, Begin, Finish, Shot)):
        span = action.span
        for reading in span.readings:
            early = span.early(reading.expression.names)
            if isinstance(action, (Around, Shot)) or early == isinstance(action, Begin):
                yield reading
