"""What is asked for: all specs, a type of span, or a callable; and what it is called where it was misspelt."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest, shown
from opentelemetry.instrumentation.declarative.inspection.explain.callable_answer import Call
from opentelemetry.instrumentation.declarative.inspection.explain.effective_specs import Here, specs_here
from opentelemetry.instrumentation.declarative.inspection.explain.overview_answer import Overview
from opentelemetry.instrumentation.declarative.inspection.explain.span_answer import SpanTypes, about
from opentelemetry.instrumentation.declarative.inspection.installed_callables import Hooked, found, hooked, runtime_of
from opentelemetry.instrumentation.declarative.language.spec_model import Target
from opentelemetry.instrumentation.declarative.patching.matching import all_calls
from opentelemetry.instrumentation.declarative.patching.target_loading import (
    PatchError,
    import_module,
    installed_release,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.wrappers import Runtime

#: The place of what is asked for: not in a file.
_ASKED = Mark("", 1, 1)
_FORM = "a callable is written module:Class.method"


class NotThere(Exception):
    """What is asked for is not there: why, and what to do."""

    def __init__(self, code: str, message: str, mend: str | None) -> None:
        super().__init__(f"error[{code}]: {message}" + (f"\n  help: {mend}" if mend else ""))


class Told(Protocol):
    """What is told: for a person, for a program, and whether nothing is wrong with it."""

    @property
    def clean(self) -> bool: ...

    def text(self) -> str: ...

    def data(self) -> dict[str, Any]: ...


class Environment:
    """The specs of this environment, and what they do in it."""

    def __init__(self, settings: Settings) -> None:
        self.specs = [_with_all_that_is_met(here) for here in specs_here(settings)]
        self._runtimes: dict[int, tuple[Runtime, list[Problem]]] = {}

    @property
    def active(self) -> list[tuple[Here, Plan]]:
        return [(here, here.plan) for here in self.specs if here.plan is not None]

    @property
    def failed(self) -> str:
        """What is wrong with spec files, as text."""
        return "\n".join(str(error) for here in self.specs for error in here.errors)

    def told(self, asked: str | None, depth: int, *, private: bool = False) -> Told:
        """All specs, or the type of span or the callable that is asked for. Raises NotThere."""
        if asked is None:
            return self._overview()
        plans = self._with_span(asked)
        if plans:
            return SpanTypes([(asked.rpartition(":")[2], plan) for plan in plans])
        if ":" not in asked:
            raise self._unknown(asked)
        return self._call(asked, depth, private)

    def sources(self, asked: str | None) -> dict[str, str]:
        """The generated wrappers: all, those that have to do with a type of span, or that of a callable."""
        found: dict[str, str] = {}
        spans = self._with_span(asked or "")
        name = (asked or "").rpartition(":")[2]
        for _, plan in self.active:
            meant = {str(at.call.target) for at in about(name, plan)} if plan in spans else {asked}
            for call in plan.calls:
                target = str(call.target)
                source = self._hooked(call, plan).source if asked is None or (target in meant) else ""
                if source and not (spans and plan not in spans):
                    # Two specs on one callable: each has a wrapper of its own.
                    found[target if target not in found else f"{target} ({plan.spec.name})"] = source
        if asked is not None and not found:
            self.told(asked, 0)
            raise NotThere("not-hooked", f"no active spec hooks {asked}", f"write a span with around: {asked}")
        return found

    def _overview(self) -> Overview:
        calls = {here.file: [self._hooked(call, plan) for call in plan.calls] for here, plan in self.active}
        problems = {
            here.file: [*self._runtime(plan)[1], *(each for one in calls[here.file] for each in one.problems)]
            for here, plan in self.active
        }
        return Overview(self.specs, calls, problems)

    def _call(self, asked: str, depth: int, private: bool) -> Call:
        module, _, path = asked.partition(":")
        target = Target(module, path, _ASKED)
        if not module or not all(step.isidentifier() for step in path.split(".")):
            raise NotThere("target-missing", f"{shown(asked)} names nothing", _FORM)
        try:
            there = found(CallPlan(target))
        except PatchError as error:
            raise self._not_found(target, error.problem) from None
        # What is put to work last is the outermost: of the user's own specs the last, and what is shipped after them.
        last_first = self.active[::-1]
        outermost_first = sorted(last_first, key=lambda one: not one[0].shipped)
        rules = [
            (here, self._hooked(call, plan))
            for here, plan in outermost_first
            for call in plan.calls
            if str(call.target) == asked
        ]
        return Call(asked, there, rules, depth, private)

    def _with_span(self, asked: str) -> list[Plan]:
        """The active specs that have a type of span, ``envelope`` or ``ag2:envelope``."""
        spec, _, name = asked.rpartition(":")
        return [plan for _, plan in self.active if spec in ("", plan.spec.name) and name in plan.spans]

    def _unknown(self, asked: str) -> NotThere:
        """Why there is no type of span of a name."""
        hooks = [(hook.hook.name, call.target) for _, plan in self.active for call in plan.calls for hook in call.hooks]
        target = next((target for name, target in hooks if name == asked), None)
        if target is not None:
            mend = f"{asked} is a hook: ask for {target}"
        elif "." in asked:
            mend = next(_as_callable(asked), _FORM)
        else:
            known = [span for _, plan in self.active for span in plan.spans]
            near = closest(asked, known)
            mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(known) or 'none'}; {_FORM}"
        return NotThere("unknown-span", f"no active spec has a span {shown(asked)}", mend)

    def _not_found(self, target: Target, problem: Problem) -> NotThere:
        if problem.code == "not-callable":
            return NotThere(problem.code, problem.message, self._inside(target))
        spans = [span for _, plan in self.active if plan.spec.name == target.module for span in plan.spans]
        near = closest(target.path, spans)
        if near:
            mend = f'did you mean the span "{target.module}:{near}"?'
            return NotThere("unknown-span", f"{target.module} has no {target.path}", mend)
        try:
            module = importlib.import_module(target.module)
        except (Exception, SystemExit):
            return NotThere(problem.code, problem.message, problem.help)
        installed = installed_release(module)
        where = f"{target.module} of {installed}" if installed else target.module
        return NotThere("target-missing", f"{where} has no {target.path}", _mend(target, problem))

    def _inside(self, target: Target) -> str:
        """Of a class, what can be asked for."""
        hooked = {
            str(call.target)
            for _, plan in self.active
            for call in plan.calls
            if call.target.module == target.module and call.target.path.startswith(f"{target.path}.")
        }
        return f"hooked of it: {', '.join(sorted(hooked))}" if hooked else f"name a method, as {target}.__init__"

    def _hooked(self, call: CallPlan, plan: Plan) -> Hooked:
        return hooked(call, self._runtime(plan)[0])

    def _runtime(self, plan: Plan) -> tuple[Runtime, list[Problem]]:
        if id(plan) not in self._runtimes:
            self._runtimes[id(plan)] = runtime_of(plan)
        return self._runtimes[id(plan)]


def _with_all_that_is_met(here: Here) -> Here:
    """The spec with its hooks on several callables on each that they meet."""
    if here.plan is None or not here.plan.patterns:
        return here
    return replace(here, plan=replace(here.plan, calls=all_calls(here.plan, _is_imported)))


def _is_imported(module: str, mark: Mark) -> bool:
    try:
        import_module(module, mark)
    except PatchError:
        return False  # It is told of whatever is hooked there by name.
    return True


def _mend(target: Target, problem: Problem) -> str | None:
    """The help of a problem, with the whole name where the last step is what was misspelt."""
    owner = target.path.rpartition(".")[0]
    near = (problem.help or "").partition('"')[2].partition('"')[0]
    meant = f"{target.module}:{f'{owner}.{near}' if owner else near}"
    with contextlib.suppress(PatchError):
        found(CallPlan(Target(target.module, meant.partition(":")[2], _ASKED)))
        return f'did you mean "{meant}"?'
    return problem.help


def _as_callable(asked: str) -> Iterator[str]:
    """A callable that was written with dots alone, as it should have been written."""
    steps = asked.split(".")
    for length in range(len(steps) - 1, 0, -1):
        target = Target(".".join(steps[:length]), ".".join(steps[length:]), _ASKED)
        with contextlib.suppress(PatchError):
            found(CallPlan(target))
            yield f'did you mean "{target}"?'
            return
