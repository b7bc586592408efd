"""A plan, and what is there of the callables, functions and classes that it names.

The modules are imported, which runs their code. Nothing is patched: the code that patches at run time is asked where
each callable hangs and what its wrapper would be, so that both say the same.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.lint.installed.patterns import Met
from opentelemetry.instrumentation.declarative.lint.installed.unreadable import Unreadable
from opentelemetry.instrumentation.declarative.lint.unused import expressions_in
from opentelemetry.instrumentation.declarative.patching.bypasses import copied, renamed, shadowed
from opentelemetry.instrumentation.declarative.patching.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.targets import (
    PatchError,
    Place,
    cannot_patch,
    imported,
    load_function,
    load_functions,
    nothing,
    pass_through,
    place_of,
    unwrap,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.wrappers import Runtime, make_wrapper
from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer

#: A class that was made in C and refuses to be changed: Py_TPFLAGS_IMMUTABLETYPE.
_IMMUTABLE = 1 << 8


class Look:
    """One plan beside the installed libraries. It listens to imports from when it is made."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._runtime = Runtime(plan, NoOpTracer(), self._tap, meter=NoOpMeter("instrument"))
        self._met = Met(plan, self._tell)
        self._unreadable = Unreadable(plan)
        self._problems: dict[Problem, None] = {}
        self._copied: list[Problem] = []
        planned = {(call.target.module, call.target.path) for call in plan.calls}
        # What no rule uses is not patched, but that it is not there may be why.
        idle = [hook.target for hook in plan.spec.hooks.values() if hook.target is not None]
        self._idle = [CallPlan(target) for target in idle if (target.module, target.path) not in planned]
        # Of a module that this very process had imported nobody knows who would have taken what from it elsewhere.
        self._stops = [
            when_imported(module, functools.partial(self._arrived, module))
            for module in plan.modules
            if module not in sys.modules
        ]

    def problems(self) -> list[Problem]:
        """Everything that is found. Imports what the plan names."""
        try:
            self._functions()
            for tap in self._plan.taps:
                self._try(functools.partial(self._runtime.tap, tap))
            first = {call.target.module: call.target.mark for call in reversed([*self._plan.calls, *self._idle])}
            missing = {module for module, mark in first.items() if not self._import(module, mark)}
            met = self._met.calls(functools.partial(self._import, needed=False))
        finally:
            for stop in self._stops:
                stop()
        found = [
            (call, place)
            for call in (*self._plan.calls, *met)
            if call.target.module not in missing and (place := self._place(call))
        ]
        for call in self._idle:
            if call.target.module not in missing:
                self._place(call)
        for call, place in found:
            self._wrapper(call, place)
        self._met.tell()
        self._tell(*self._unreadable.problems())
        self._tell(*self._copied)
        patched = [(place.owner, place.name) for _, place in found]
        for call, place in found:
            self._tell(renamed(call, place, self._plan.calls), shadowed(call, place, patched))
        return list(self._problems)

    def _tell(self, *problems: Problem | None) -> None:
        self._problems.update(dict.fromkeys(problem for problem in problems if problem is not None))

    def _try(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except PatchError as error:
            self._tell(error.problem)
            return None

    def _tap(self, name: str) -> type:
        return pass_through(self._plan.spec.name, self._plan.taps[name])

    def _import(self, module: str, mark: Mark, *, needed: bool = True) -> bool:
        try:
            imported(module, mark)
        except PatchError as error:
            if not needed and error.problem.code == "target-missing":
                return False
            # Without what it needs nobody can import it, and nothing of the spec is missed.
            needs = error.problem.code == "not-installed"
            self._tell(replace(error.problem, severity="warning") if needs else error.problem)
            return False
        return True

    def _functions(self) -> None:
        functions = load_functions(self._plan.spec.functions, self._tell)
        self._runtime.functions.update(functions)
        for mirror in self._plan.mirrors:
            self._try(functools.partial(load_function, mirror.sink))
        for expression in expressions_in((self._plan.spans, self._plan.joined, self._plan.mirrors)):
            for node in ast.walk(expression.tree):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if functions.get(node.func.id, nothing) is not nothing:
                    self._tell(self._arguments(node.func.id, len(node.args), expression.mark))

    def _arguments(self, name: str, given: int, mark: Mark) -> Problem | None:
        """The problem that a function does not take as many values as it is given."""
        try:
            signature = inspect.signature(self._runtime.functions[name])
        except (TypeError, ValueError):
            return None
        try:
            signature.bind(*[None] * given)
        except TypeError as error:
            target = self._plan.spec.functions[name]
            message = (
                f"{name}() is given {given} value{'' if given == 1 else 's'}, and {target} is {signature}: {error}"
            )
            return Problem(mark, "wrong-arguments", message, "give it what it takes")
        return None

    def _place(self, call: CallPlan) -> Place | None:
        def find() -> Place:
            try:
                place = place_of(call, self._runtime.tap)
                unwrap(place.found, call)
                if isinstance(place.owner, type) and place.owner.__flags__ & _IMMUTABLE:
                    setattr(place.owner, place.name, place.found)  # which it refuses, and says why
                return place
            except PatchError:
                raise
            except Exception as error:
                raise cannot_patch(call, error) from None

        found: Place | None = self._try(find)
        return found

    def _wrapper(self, call: CallPlan, place: Place) -> None:
        """What of the plan's rules has to be left out of the wrapper. One with mistakes of its own has none."""
        if self._plan.problems:
            return

        def make() -> None:
            try:
                raw = unwrap(place.found, call)[0]
                wrapper = make_wrapper(call, raw, self._runtime)
            except PatchError:
                raise
            except Exception as error:
                raise cannot_patch(call, error) from None
            self._tell(*wrapper.problems)
            self._met.left_out(call, wrapper.left_out)
            wrapper.pass_through()
            self._unreadable.look(call, place, raw)

        self._try(make)

    def _arrived(self, module: str) -> None:
        """A module has just been imported: here it would be patched. Whoever holds its functions now keeps them so."""
        for call in self._plan.calls:
            if call.target.module == module and not call.tap:
                try:
                    problem = copied(call, place_of(call, self._runtime.tap))
                except Exception:
                    continue  # It is told when the callable is looked for.
                if problem is not None:
                    self._copied.append(problem)
