"""The callables of a plan in the installed library, and the wrappers they would get. Nothing is patched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from opentelemetry._logs import NoOpLogger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import (
    PatchError,
    import_module,
    load_functions,
)
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, find_patch_point, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.runtime.log_records import LogEmitter
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime, make_wrapper
from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer

#: Set for classes written in C that refuse changes: Py_TPFLAGS_IMMUTABLETYPE.
_IMMUTABLE = 1 << 8


@dataclass(frozen=True, slots=True)
class InstalledCallable:
    """A callable that exists: where it is bound, and its raw function."""

    point: PatchPoint
    raw: Any

    @property
    def owner(self) -> type | None:
        """The class that the callable is an attribute of; None for a function of a module."""
        return self.point.owner if isinstance(self.point.owner, type) else None


@dataclass(frozen=True, slots=True)
class WrapperPreview:
    """The wrapper that a callable of a plan would get: its source, empty if there is none, and its problems.

    ``unavailable`` says why the module cannot be imported, for example because an optional dependency is missing
    (``lacks_dependency``). This is not a problem of the spec: no program can use the module in this environment
    either.
    """

    call: CallPlan
    source: str
    problems: tuple[Problem, ...]
    unavailable: str | None = None
    lacks_dependency: bool = False

    @property
    def is_hooked(self) -> bool:
        return bool(self.source)


def script_problem(mark: Mark) -> Problem:
    """Return the problem that a target is in `__main__`, which is another module in each process."""
    message = f"{MAIN} is the script that a process runs: it cannot be checked"
    help = "name the module of the script instead: app:checkout is also traced if app.py is the script"
    return Problem(mark, "cannot-import", message, help, "warning")


def resolve_callable(call: CallPlan) -> InstalledCallable:
    """Import the module of a callable and find it there. Raises PatchError if it does not exist."""
    if call.target.module == MAIN:
        raise PatchError(script_problem(call.target.mark))
    point = find_patch_point(import_module(call.target.module, call.target.mark), call)
    return InstalledCallable(point, unwrap(point.value, call)[0])


def is_immutable(owner: object) -> bool:
    """Whether an object is a class whose attributes cannot be set, as most classes written in C."""
    return isinstance(owner, type) and bool(owner.__flags__ & _IMMUTABLE)


def inert_runtime(plan: Plan, make_extension: Callable[[str], type] = lambda _extension: object) -> SpecRuntime:
    """Return what the wrappers of a plan refer to, with a tracer, a meter and a logger that record nothing.

    Imports nothing that the plan names.
    """
    return SpecRuntime(
        plan,
        NoOpTracer(),
        make_extension,
        meter=NoOpMeter("instrument"),
        log_emitter=partial(LogEmitter, NoOpLogger("instrument")),
    )


def load_runtime_functions(runtime: SpecRuntime, plan: Plan, report: Callable[[Problem], object]) -> None:
    """Import the functions of a spec. Those that cannot be loaded are reported."""
    runtime.functions.update(load_functions(plan.spec.function_targets, report))


def preview_wrapper(call: CallPlan, runtime: SpecRuntime) -> WrapperPreview:
    """Return the wrapper that a callable would get."""
    try:
        wrapper = make_wrapper(call, resolve_callable(call).raw, runtime)
    except PatchError as error:
        if error.problem.code in ("not-installed", "cannot-import"):
            return WrapperPreview(call, "", (), error.problem.message, error.problem.code == "not-installed")
        return WrapperPreview(call, "", (error.problem,))
    return WrapperPreview(call, wrapper.source, wrapper.problems)
