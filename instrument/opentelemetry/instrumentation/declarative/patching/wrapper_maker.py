"""Makes the wrappers of one spec, and reports what has to be left out of them."""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import NestedDefinition
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, receiver_of
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Receiver
from opentelemetry.instrumentation.declarative.runtime.function_code.recorded_calls import RecordedCalls
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime, Wrapper, make_wrapper


class WrapperMaker:
    """Each method returns the wrapper of a callable; None if no rule can be applied to it."""

    def __init__(self, runtime: SpecRuntime, report: Callable[[Problem], None]) -> None:
        self.runtime = runtime
        self._report = report
        #: The wrappers generated so far: callables with the same signature and hooks share them.
        self._made: dict[Hashable, Wrapper] = {}

    def use(self, runtime: SpecRuntime) -> None:
        """Make wrappers with what another plan refers to."""
        self.runtime = runtime
        self._made.clear()

    def for_point(
        self, call: CallPlan, point: PatchPoint, raw: Any, recorded: RecordedCalls | None = None
    ) -> Wrapper | None:
        receiver = receiver_of(point) if type(raw) is types.FunctionType and not call.extension else None
        return self._reported(make_wrapper(call, raw, self.runtime, receiver, self._made, recorded))

    def for_definition(self, call: CallPlan, definition: NestedDefinition) -> Wrapper | None:
        return self._reported(make_wrapper(call, definition.sample(), self.runtime, made=self._made, for_code=True))

    def for_subclass(self, call: CallPlan, function: types.FunctionType, receiver: Receiver | None) -> Wrapper | None:
        return self._reported(make_wrapper(call, function, self.runtime, receiver, self._made, for_code=True))

    def _reported(self, wrapper: Wrapper) -> Wrapper | None:
        for problem in wrapper.problems:
            self._report(problem)
        return wrapper if wrapper.template is not None else None
