"""Queries about the specs of this environment: all of them, a span type, or a callable."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import replace
from typing import Any, Protocol

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest, did_you_mean, quoted
from opentelemetry.instrumentation.declarative.inspection.explain.callable_answer import CallableAnswer
from opentelemetry.instrumentation.declarative.inspection.explain.overview_answer import OverviewAnswer
from opentelemetry.instrumentation.declarative.inspection.explain.span_answer import SpanAnswer, span_actions
from opentelemetry.instrumentation.declarative.inspection.explain.spec_states import SpecState, spec_states
from opentelemetry.instrumentation.declarative.inspection.installed_callables import (
    WrapperPreview,
    inert_runtime,
    load_runtime_functions,
    preview_wrapper,
    resolve_callable,
)
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import (
    PatchError,
    import_module,
    installed_release,
)
from opentelemetry.instrumentation.declarative.patching.lookup.matching import all_calls
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import LOCALS, split_path
from opentelemetry.instrumentation.declarative.patching.lookup.subclass_methods import calls_of_subclasses
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime

#: The location of a query, which is not in a file.
_QUERY = Mark("", 1, 1)
_FORM = "write a callable as module:Class.method"


class QueryError(Exception):
    """The target of a query does not exist. The text says why, and what to do."""

    def __init__(self, code: str, message: str, help: str | None) -> None:
        super().__init__(f"error[{code}]: {message}" + (f"\n  help: {help}" if help else ""))


class Answer(Protocol):
    """The answer to a query, as text or as data for JSON."""

    @property
    def has_problems(self) -> bool: ...

    def text(self) -> str: ...

    def data(self) -> dict[str, Any]: ...


class Environment:
    """The specs of this environment, and what can be asked about them."""

    def __init__(self, settings: Settings) -> None:
        self.specs = [_with_matches(spec) for spec in spec_states(settings)]
        self._runtimes: dict[int, tuple[SpecRuntime, list[Problem]]] = {}

    @property
    def active(self) -> list[tuple[SpecState, Plan]]:
        return [(spec, spec.plan) for spec in self.specs if spec.plan is not None]

    @property
    def errors(self) -> str:
        """The errors of spec files, as text."""
        return "\n".join(str(error) for spec in self.specs for error in spec.errors)

    def answer(self, target: str | None, depth: int, *, private: bool = False) -> Answer:
        """Answer about all specs, a span type, or a callable. Raises QueryError if the target does not exist."""
        if target is None:
            return self._overview()
        plans = self._plans_with_span(target)
        if plans:
            name = target.rpartition(":")[2]
            return SpanAnswer([(name, plan, spec.registry) for spec, plan in self.active if plan in plans])
        if ":" not in target:
            raise self._unknown_span(target)
        return self._callable(target, depth, private)

    def sources(self, target: str | None) -> dict[str, str]:
        """Return the generated wrappers by their callables: all, those of a span type, or those of a callable."""
        found: dict[str, str] = {}
        spans = self._plans_with_span(target or "")
        name = (target or "").rpartition(":")[2]
        for _, plan in self.active:
            wanted = {str(each.call.target) for each in span_actions(name, plan)} if plan in spans else {target}
            for call in plan.calls:
                callable_name = str(call.target)
                source = self._preview(call, plan).source if target is None or callable_name in wanted else ""
                if source and not (spans and plan not in spans):
                    # If two specs hook a callable, each has its own wrapper.
                    key = callable_name if callable_name not in found else f"{callable_name} ({plan.spec.name})"
                    found[key] = source
        if target is not None and not found:
            self.answer(target, 0)
            help = f"write a span with around: {target}"
            raise QueryError("not-hooked", f"no active spec hooks {target}", help)
        return found

    def _overview(self) -> OverviewAnswer:
        wrappers = {spec.file: [self._preview(call, plan) for call in plan.calls] for spec, plan in self.active}
        problems = {
            spec.file: [*self._runtime(plan)[1], *(each for one in wrappers[spec.file] for each in one.problems)]
            for spec, plan in self.active
        }
        return OverviewAnswer(self.specs, wrappers, problems)

    def _callable(self, name: str, depth: int, private: bool) -> CallableAnswer:
        module, _, path = name.partition(":")
        target = Target(module, path, _QUERY)
        names, within = split_path(path) or (path, [])
        if not module or not all(step.isidentifier() or step == LOCALS for step in (*names.split("."), *within)):
            raise QueryError("target-missing", f"{quoted(name)} is not a callable", _FORM)
        try:
            installed = resolve_callable(CallPlan(target))
        except PatchError as error:
            raise self._not_found(target, error.problem) from None
        # The spec that is activated last is outermost: shipped specs are activated before the user's own.
        last_first = self.active[::-1]
        outermost_first = sorted(last_first, key=lambda one: not one[0].shipped)
        wrappers = [
            (spec, self._preview(call, plan))
            for spec, plan in outermost_first
            for call in plan.calls
            if str(call.target) == name
        ]
        return CallableAnswer(name, installed, wrappers, depth, private)

    def _plans_with_span(self, name: str) -> list[Plan]:
        """Return the active specs that have a span type, written as ``envelope`` or ``ag2:envelope``."""
        spec, _, span = name.rpartition(":")
        return [plan for _, plan in self.active if spec in ("", plan.spec.name) and span in plan.spans]

    def _unknown_span(self, name: str) -> QueryError:
        """Return the error that there is no span type with a name."""
        hooks = [(hook.hook.name, call.target) for _, plan in self.active for call in plan.calls for hook in call.hooks]
        target = next((target for hook, target in hooks if hook == name), None)
        if target is not None:
            help = f"{name} is a hook: use {target}"
        elif "." in name:
            help = _as_callable(name) or _FORM
        else:
            known = [span for _, plan in self.active for span in plan.spans]
            help = did_you_mean(closest(name, known)) or f"there are: {', '.join(known) or 'none'}; {_FORM}"
        return QueryError("unknown-span", f"no active spec has a span {quoted(name)}", help)

    def _not_found(self, target: Target, problem: Problem) -> QueryError:
        if problem.code == "not-callable":
            return QueryError(problem.code, problem.message, self._methods(target))
        spans = [span for _, plan in self.active if plan.spec.name == target.module for span in plan.spans]
        similar = closest(target.path, spans)
        if similar:
            help = f'did you mean the span "{target.module}:{similar}"?'
            return QueryError("unknown-span", f"{target.module} has no {target.path}", help)
        if problem.code != "target-missing":
            return QueryError(problem.code, problem.message, problem.help)
        try:
            module = importlib.import_module(target.module)
        except (Exception, SystemExit):
            return QueryError(problem.code, problem.message, problem.help)
        release = installed_release(module)
        where = f"{target.module} of {release}" if release else target.module
        return QueryError("target-missing", f"{where} has no {target.path}", _full_suggestion(target, problem))

    def _methods(self, target: Target) -> str:
        """Return which methods of a class can be asked about."""
        hooked = {
            str(call.target)
            for _, plan in self.active
            for call in plan.calls
            if call.target.module == target.module and call.target.path.startswith(f"{target.path}.")
        }
        return f"hooked methods: {', '.join(sorted(hooked))}" if hooked else f"name a method, such as {target}.__init__"

    def _preview(self, call: CallPlan, plan: Plan) -> WrapperPreview:
        return preview_wrapper(call, self._runtime(plan)[0])

    def _runtime(self, plan: Plan) -> tuple[SpecRuntime, list[Problem]]:
        if id(plan) not in self._runtimes:
            problems: list[Problem] = []
            runtime = inert_runtime(plan)
            load_runtime_functions(runtime, plan, problems.append)
            self._runtimes[id(plan)] = runtime, problems
        return self._runtimes[id(plan)]


def _with_matches(spec: SpecState) -> SpecState:
    """Return the spec with its hooks on several callables applied to each callable that they match."""
    if spec.plan is None or not spec.plan.patterns:
        return spec
    calls = all_calls(spec.plan, _can_import)
    return replace(spec, plan=replace(spec.plan, calls=[*calls, *calls_of_subclasses(spec.plan)]))


def _can_import(module: str, mark: Mark) -> bool:
    try:
        import_module(module, mark)
    except PatchError:
        return False  # reported for the callables of the module that hooks name
    return True


def _full_suggestion(target: Target, problem: Problem) -> str | None:
    """Return the help of a problem, with the full name if only the last step of the path is misspelt."""
    if problem.suggestion is None:
        return problem.help
    owner = target.path.rpartition(".")[0]
    suggestion = Target(target.module, f"{owner}.{problem.suggestion}" if owner else problem.suggestion, _QUERY)
    with contextlib.suppress(PatchError):
        resolve_callable(CallPlan(suggestion))
        return did_you_mean(str(suggestion))
    return problem.help


def _as_callable(name: str) -> str | None:
    """The suggestion for a callable that is written without a colon."""
    steps = name.split(".")
    for length in range(len(steps) - 1, 0, -1):
        target = Target(".".join(steps[:length]), ".".join(steps[length:]), _QUERY)
        with contextlib.suppress(PatchError):
            resolve_callable(CallPlan(target))
            return did_you_mean(str(target))
    return None
