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
from opentelemetry.instrumentation.declarative.lint.installed.attribute_check import Unreadable
from opentelemetry.instrumentation.declarative.lint.installed.pattern_check import Met
from opentelemetry.instrumentation.declarative.lint.unused import expressions_in
from opentelemetry.instrumentation.declarative.patching.bypasses import find_aliases, find_copies, find_overrides
from opentelemetry.instrumentation.declarative.patching.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.target_loading import (
    PatchError,
    import_module,
    load_function,
    load_functions,
    make_tap_class,
    return_none,
)
from opentelemetry.instrumentation.declarative.patching.targets import (
    PatchPoint,
    cannot_patch,
    patch_point_of,
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
            (call, point)
            for call in (*self._plan.calls, *met)
            if call.target.module not in missing and (point := self._place(call))
        ]
        for call in self._idle:
            if call.target.module not in missing:
                self._place(call)
        for call, point in found:
            self._wrapper(call, point)
        self._met.tell()
        self._tell(*self._unreadable.problems())
        self._tell(*self._copied)
        patched = [(point.owner, point.name) for _, point in found]
        for call, point in found:
            for bypass in (find_aliases(call, point, self._plan.calls), find_overrides(call, point, patched)):
                if bypass is not None:
                    self._tell(bypass.problem)
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
        return make_tap_class(self._plan.spec.name, self._plan.taps[name])

    def _import(self, module: str, mark: Mark, *, needed: bool = True) -> bool:
        try:
            import_module(module, mark)
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
                if functions.get(node.func.id, return_none) is not return_none:
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

    def _place(self, call: CallPlan) -> PatchPoint | None:
        def find() -> PatchPoint:
            try:
                point = patch_point_of(call, self._runtime.tap)
                unwrap(point.value, call)
                if isinstance(point.owner, type) and point.owner.__flags__ & _IMMUTABLE:
                    setattr(point.owner, point.name, point.value)  # which it refuses, and says why
                return point
            except PatchError:
                raise
            except Exception as error:
                raise cannot_patch(call, error) from None

        found: PatchPoint | None = self._try(find)
        return found

    def _wrapper(self, call: CallPlan, point: PatchPoint) -> None:
        """What of the plan's rules has to be left out of the wrapper. One with mistakes of its own has none."""
        if self._plan.problems:
            return

        def make() -> None:
            try:
                raw = unwrap(point.value, call)[0]
                wrapper = make_wrapper(call, raw, self._runtime)
            except PatchError:
                raise
            except Exception as error:
                raise cannot_patch(call, error) from None
            self._tell(*wrapper.problems)
            self._met.left_out(call, wrapper.left_out)
            wrapper.pass_through()
            self._unreadable.look(call, point, raw)

        self._try(make)

    def _arrived(self, module: str) -> None:
        """A module has just been imported: here it would be patched. Whoever holds its functions now keeps them so."""
        for call in self._plan.calls:
            if call.target.module == module and not call.tap:
                try:
                    bypass = find_copies(call, patch_point_of(call, self._runtime.tap))
                except Exception:
                    continue  # It is told when the callable is looked for.
                if bypass is not None:
                    self._copied.append(bypass.problem)
