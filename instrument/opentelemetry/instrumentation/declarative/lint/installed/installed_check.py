"""Checks a plan against the installed libraries: the callables, functions and classes that it names.

The modules are imported, which runs their code. Nothing is patched: the code that patches at run time is used to find
each callable and to build its wrapper, so that check and run time report the same.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FunctionType
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, counted
from opentelemetry.instrumentation.declarative.inspection.installed_callables import (
    inert_runtime,
    is_immutable,
    load_runtime_functions,
    script_problem,
)
from opentelemetry.instrumentation.declarative.lint.installed.intended_targets import intended_call
from opentelemetry.instrumentation.declarative.lint.installed.on_demand_names import with_definition
from opentelemetry.instrumentation.declarative.lint.installed.pattern_check import PatternCheck
from opentelemetry.instrumentation.declarative.lint.installed.provided_names import provided_name_warnings
from opentelemetry.instrumentation.declarative.lint.installed.readable_check import ReadableCheck
from opentelemetry.instrumentation.declarative.lint.installed.result_check import result_notes
from opentelemetry.instrumentation.declarative.lint.installed.sink_check import sink_problems
from opentelemetry.instrumentation.declarative.lint.plan_parts import expressions_in
from opentelemetry.instrumentation.declarative.patching.bypasses import (
    find_aliases,
    find_copies,
    find_overrides,
    find_same_function,
)
from opentelemetry.instrumentation.declarative.patching.holders import find_holders
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import (
    PatchError,
    import_module,
    make_extension_class,
    return_none,
)
from opentelemetry.instrumentation.declarative.patching.inner_patches import find_holders_below_decorators
from opentelemetry.instrumentation.declarative.patching.lookup.caller_frames import caller_frame_note
from opentelemetry.instrumentation.declarative.patching.lookup.targets import (
    PatchPoint,
    cannot_patch,
    function_of,
    patch_point_of,
    unwrap,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.wrappers import make_wrapper


class InstalledCheck:
    """Checks one plan. Listens to imports from the time it is created."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._problems: dict[Problem, None] = {}
        self._runtime = inert_runtime(plan, self._make_extension)
        self._patterns = PatternCheck(plan, self._report, self._runtime.name_uses)
        self._readable = ReadableCheck(plan)
        self._copies: list[Problem] = []
        planned = {(call.target.module, call.target.path) for call in plan.calls}
        # A hook that no rule uses is not patched. It is still looked up: a missing target may be the reason. Loaders
        # are looked up in the same way.
        hooked = [hook.target for hook in plan.spec.hooks.values() if hook.target is not None]
        unused = [*hooked, *plan.spec.loaders]
        self._unused = [CallPlan(target) for target in unused if (target.module, target.path) not in planned]
        # If this process had imported a module before, its copies say nothing about those in the program.
        self._stop_listening = [
            when_imported(module, functools.partial(self._find_copies, module))
            for module in plan.modules
            if module not in sys.modules
        ]

    def problems(self) -> list[Problem]:
        """Return all problems and warnings. Imports what the plan names."""
        try:
            self._check_functions()
            for extension in self._plan.extensions:
                self._try(functools.partial(self._runtime.extension, extension))
            first = {call.target.module: call.target.mark for call in reversed([*self._plan.calls, *self._unused])}
            unavailable = {module for module, mark in first.items() if not self._import(module, mark)}
            matches = self._patterns.matches(functools.partial(self._import, required=False))
        finally:
            for stop in self._stop_listening:
                stop()
        found = [
            (intended, point)
            for call in (*self._plan.calls, *matches)
            if call.target.module not in unavailable
            for intended, point in self._find_intended(call)
        ]
        for call in self._unused:
            if call.target.module not in unavailable:
                self._find_patch_point(call)
        for call, point in found:
            self._check_wrapper(call, point)
        self._report(*_value_notes(self._plan))
        self._patterns.finish()
        self._report(*self._runtime.name_uses.notes.values())
        self._report(*self._readable.problems())
        self._report(*self._copies)
        patched = [(point.owner, point.name) for _, point in found]
        by_function: dict[FunctionType, list[CallPlan]] = {}
        for call, point in found:
            function = function_of(call, point)
            same = [] if function is None else by_function.setdefault(function, [])
            for bypass in (
                find_aliases(call, point, self._plan.calls),
                find_overrides(call, point, patched),
                find_same_function(call, point, same),
            ):
                if bypass is not None:
                    self._report(bypass.problem)
            same.append(call)
        return list(self._problems)

    @property
    def parameters(self) -> set[Mark]:
        """Where names are written that are parameters, although the plan presumes that they are not available."""
        return self._runtime.name_uses.parameters

    def is_path(self, key: Mark | None) -> bool:
        """Whether the constant under a key is text that is a path wherever it is recorded."""
        return self._readable.is_path(key)

    def _report(self, *problems: Problem) -> None:
        self._problems.update(dict.fromkeys(problems))

    def _try(self, action: Callable[[], Any]) -> Any:
        """Call a function and report the problem of a PatchError."""
        try:
            return action()
        except PatchError as error:
            self._report(error.problem)
            return None

    def _make_extension(self, name: str) -> type:
        return make_extension_class(self._plan.spec.name, self._plan.extensions[name])

    def _import(self, module: str, mark: Mark, *, required: bool = True) -> bool:
        """Import a module and report why if it cannot be imported. Returns whether it could."""
        if module == MAIN:
            self._report(script_problem(mark))
            return False
        try:
            import_module(module, mark)
        except PatchError as error:
            if not required and error.problem.code == "target-missing":
                return False
            # Without its dependency no program can import the module either, so the spec misses nothing.
            lacks_dependency = error.problem.code == "not-installed"
            self._report(replace(error.problem, severity="warning") if lacks_dependency else error.problem)
            return False
        return True

    def _check_functions(self) -> None:
        """Check that the functions of the spec exist and accept the number of arguments that expressions pass."""
        load_runtime_functions(self._runtime, self._plan, self._report)
        self._report(*sink_problems(self._plan))
        for expression in expressions_in((self._plan.spans, self._plan.hook_groups, self._plan.metrics)):
            for node in ast.walk(expression.tree):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                name = node.func.id
                if name in self._plan.spec.expression_functions:
                    self._check_arguments(name, len(node.args), expression.mark)

        for name, function in self._plan.spec.functions.items():
            if function.is_called_with_span:
                self._check_arguments(name, 1 + len(function.arguments), function.call.mark)

    def _check_arguments(self, name: str, count: int, mark: Mark) -> None:
        if self._runtime.functions[name] is return_none:
            return
        try:
            signature = inspect.signature(self._runtime.functions[name])
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*[None] * count)
        except TypeError as error:
            target = self._plan.spec.functions[name].call
            arguments = counted(count, "argument")
            message = f"{name}() is called with {arguments}, but the signature of {target} is {signature}: {error}"
            self._report(Problem(mark, "wrong-arguments", message, "pass the arguments that it accepts"))

    def _find_intended(self, call: CallPlan) -> Iterator[tuple[CallPlan, PatchPoint]]:
        """Return where a callable is bound or, if its name is misspelt, the one that was probably intended."""
        known = len(self._problems)
        point = self._find_patch_point(call)
        if point is not None:
            yield call, point
        for problem in [*self._problems][known:]:
            if (intended := intended_call(call, problem, self._runtime)) is not None:
                yield intended

    def _find_patch_point(self, call: CallPlan) -> PatchPoint | None:
        """Return where a callable is bound; report why if it does not exist or cannot be replaced."""

        def find() -> PatchPoint:
            try:
                point = patch_point_of(call, self._runtime.extension)
                unwrap(point.value, call)
                if is_immutable(point.owner) and function_of(call, point) is None:
                    setattr(point.owner, point.name, point.value)  # raises, and the error says why
                return point
            except PatchError as error:
                raise PatchError(with_definition(call.target, error.problem)) from None
            except Exception as error:
                raise cannot_patch(call, error) from None

        found: PatchPoint | None = self._try(find)
        return found

    def _check_wrapper(self, call: CallPlan, point: PatchPoint) -> None:
        """Report what has to be left out of a wrapper."""

        def check() -> None:
            try:
                raw = unwrap(point.value, call)[0]
                wrapper = make_wrapper(call, raw, self._runtime, reports_all=True)
            except PatchError:
                raise
            except Exception as error:
                if self._plan.problems:  # rules of which something is missing have no wrapper
                    return
                raise cannot_patch(call, error) from None
            self._report(*wrapper.problems)
            self._patterns.add_missing_names(call, wrapper.left_out)
            lacking = {(problem.mark, problem.subject) for problem in wrapper.left_out}
            uses = self._runtime.name_uses

            def is_missing(mark: Mark, name: str, hook: str) -> bool:
                return (mark, name) in lacking or uses.lacks(mark, name, hook)

            self._readable.add(call, point, raw, is_missing)
            self._report(*result_notes(call, point, raw))
            if call in self._plan.calls:
                self._report(*caller_frame_note(call, raw))
            self._report(*provided_name_warnings(call, raw))

        self._try(check)

    def _find_copies(self, module: str) -> None:
        """Record who holds a module's callables when its import ends, which is when they would be patched."""
        for call in self._plan.calls:
            if call.target.module == module and not call.extension:
                try:
                    point = patch_point_of(call, self._runtime.extension)
                    copies = find_copies(call, point, self._plan)
                    bypasses = [copies, find_holders(call, point), find_holders_below_decorators(call, point)]
                except Exception:
                    continue  # reported when the callable is looked up
                self._copies += [bypass.problem for bypass in bypasses if bypass is not None]


def _value_notes(plan: Plan) -> Iterator[Problem]:
    """A note that hooks on values cannot be checked: one for all of them."""
    hooks = [*dict.fromkeys(hook.hook.name for call in plan.values for hook in call.hooks)]
    if hooks:
        several = len(hooks) > 1
        message = (
            f"the {'hooks' if several else 'hook'} {', '.join(hooks)} {'are' if several else 'is'} on values: whether "
            "they have the methods and names that are used is only known when the program runs"
        )
        help = "look at the report of a run, or at its messages"
        yield Problem(plan.values[0].target.mark, "unchecked-value", message, help, "note")
