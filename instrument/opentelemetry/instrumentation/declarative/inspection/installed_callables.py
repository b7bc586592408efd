"""The callables of a plan in the installed library: where each hangs, and its wrapper. Nothing is patched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.target_loading import PatchError, import_module, load_functions
from opentelemetry.instrumentation.declarative.patching.targets import PatchPoint, find_patch_point, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.wrappers import Runtime, make_wrapper
from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer


@dataclass(frozen=True, slots=True)
class Hooked:
    """A callable of a plan: the source of its wrapper, empty where it can have none, and what is wrong.

    ``waits``: why its module cannot be imported here, as where an optional package is missing. That is no problem of
    the spec: no program can use the module here either.
    """

    call: CallPlan
    source: str
    problems: tuple[Problem, ...]
    waits: str | None = None

    @property
    def works(self) -> bool:
        return bool(self.source)


@dataclass(frozen=True, slots=True)
class Found:
    """A callable as its owner holds it, and the raw function in that."""

    point: PatchPoint
    raw: Any

    @property
    def owner(self) -> type | None:
        return self.point.owner if isinstance(self.point.owner, type) else None


def found(call: CallPlan) -> Found:
    """Where a callable hangs. Raises PatchError where there is none."""
    point = find_patch_point(import_module(call.target.module, call.target.mark), call)
    return Found(point, unwrap(point.value, call)[0])


def runtime_of(plan: Plan) -> tuple[Runtime, list[Problem]]:
    """What wrappers refer to, with a tracer that traces nothing; and the functions of the spec that are not there."""
    problems: list[Problem] = []
    runtime = Runtime(plan, NoOpTracer(), lambda _tap: object, meter=NoOpMeter("instrument"))
    runtime.functions.update(load_functions(plan.spec.functions, problems.append))
    return runtime, problems


def hooked(call: CallPlan, runtime: Runtime) -> Hooked:
    """The wrapper that a callable has when it is patched."""
    try:
        wrapper = make_wrapper(call, found(call).raw, runtime)
    except PatchError as error:
        if error.problem.code in ("not-installed", "cannot-import"):
            return Hooked(call, "", (), error.problem.message)
        return Hooked(call, "", (error.problem,))
    return Hooked(call, wrapper.source, wrapper.problems)
