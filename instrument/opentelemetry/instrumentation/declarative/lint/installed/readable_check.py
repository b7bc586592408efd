"""Checks for what can never be read, according to the types in the library's annotations."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import callable_types
from opentelemetry.instrumentation.declarative.inspection.readable.expression_types import with_names
from opentelemetry.instrumentation.declarative.lint.expression_roles import WRITTEN, Role, roles_of
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import (
    UnreadablePath,
    is_readable_path,
    unreadable_path,
)
from opentelemetry.instrumentation.declarative.lint.unusable_values import unusable_value
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan


class ReadableCheck:
    """Checks the expressions of one plan. One that is read on several callables is reported if none of them has it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._results: dict[Mark, tuple[Role, list[UnreadablePath | None]]] = {}
        #: Whether each of the constants is a path, by the mark of its key, on all callables.
        self._paths: dict[Mark, bool] = {}

    def add(self, call: CallPlan, point: PatchPoint, raw: Any, lacks: Callable[[Mark, str, str], bool]) -> None:
        """Check what is read on a callable. ``lacks``: whether it does not have a name at a mark, read at a hook."""
        owner = point.owner if isinstance(point.owner, type) else None
        try:
            types = callable_types(raw, owner, point.value)
        except Exception:  # evaluating the library's annotations can raise anything
            return
        for hook in call.hooks:
            named = {name: expression.tree for name, expression in hook.names.items()}
            listed = {name: expression.tree for name, expression in hook.each.items()}
            inside = with_names(types, named, listed)
            for role in roles_of(hook):
                given = role.given.union(self._plan.context_values)
                reads_names = hook.defined_names <= role.given
                if reads_names:
                    given -= named.keys() | listed.keys()
                marks = role.expression.name_marks.items()
                absent = {name for name, mark in marks if name not in given and lacks(mark, name, hook.hook.name)}
                try:
                    known = inside if reads_names else types
                    if isinstance(role.expression.tree, ast.Constant):
                        is_path = is_readable_path(role.expression.tree.value, known)
                        self._paths[role.expression.mark] = is_path and self.is_path(role.expression.mark, True)
                    unreadable = None
                    if role.part != WRITTEN:
                        unreadable = unreadable_path(role.expression, known, given=given, absent=absent)
                    if unreadable is None:
                        unreadable = unusable_value(role, known, given)
                except Exception:  # evaluating the library's annotations can raise anything
                    unreadable = None
                self._results.setdefault(role.expression.mark, (role, []))[1].append(unreadable)

    def is_path(self, key: Mark | None, otherwise: bool = False) -> bool:
        """Whether the constant under a key is text that is a path on all callables added so far."""
        return otherwise if key is None else self._paths.get(key, otherwise)

    def problems(self) -> Iterator[Problem]:
        """The expressions that have no value on any of the callables added so far."""
        for role, results in self._results.values():
            found = [unreadable for unreadable in results if unreadable is not None and not unreadable.is_absent]
            if not found or not all(results):
                continue
            unreadable = next((each for each in found if each.suggestion), found[0])
            suggestion = unreadable.suggestion
            help = f'did you mean "{suggestion}"?' if suggestion else unreadable.help
            effect = unreadable.effect or (role.effect if unreadable.decides else "is evaluated without it")
            message = f"{unreadable.path} {unreadable.why}: {role.title} {effect}"
            yield Problem(unreadable.mark, "never-readable", message, help, "warning")
