"""Patches of the functions below the decorators of a callable, for calls by others that hold these functions."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.patching.bypasses import Bypass
from opentelemetry.instrumentation.declarative.patching.holders import (
    HeldFunction,
    find_held_functions,
    held_below_decorators,
    runs_when_called,
)
from opentelemetry.instrumentation.declarative.patching.lookup.decorated_functions import (
    StandIns,
    Wrapping,
    calls_through_closure,
    is_held,
    read_wrapping,
)
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, unwrap
from opentelemetry.instrumentation.declarative.patching.patch import Patch
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.runtime.following.blocks import is_factory
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import Closure, CodeLayer
from opentelemetry.instrumentation.declarative.runtime.function_code.recorded_calls import RecordedCalls
from opentelemetry.instrumentation.declarative.wrappers import Wrapper

#: Makes the wrapper of a function; None if no rule can be applied to it.
MakeWrapper = Callable[[types.FunctionType, "RecordedCalls | None"], "Wrapper | None"]


class InnerPatches:
    """Finds the functions below the decorators of a callable that others hold, and patches them before the callable."""

    def __init__(self, call: CallPlan, point: PatchPoint, raw: Any) -> None:
        self._call, self._point = call, point
        self._wrapping: Wrapping | None = None
        self._held: list[HeldFunction] = []
        self._recorded = RecordedCalls()
        # Context managers that were made before, and hold the function, are recreated by the callable.
        if call.extension or is_factory(raw):
            return
        wrapping = read_wrapping(call, point, raw) if type(raw) is types.FunctionType else None
        if wrapping is not None and not is_held(wrapping):
            return
        if wrapping is not None and calls_through_closure(wrapping):
            self._wrapping = wrapping
        else:
            self._held = find_held_functions(call, point)

    @property
    def bypass(self) -> Bypass | None:
        """What holds functions of which not all calls are seen."""
        return held_below_decorators(self._call, [each for each in self._held if not runs_when_called(each.function)])

    def install(self, make: MakeWrapper) -> tuple[list[Patch], Closure | None]:
        """Patch the functions. Return the patches, and the closure for the copy of the callable if it needs another."""
        if self._wrapping is not None:
            return self._install_stand_ins(self._wrapping, make)
        patches = []
        for held in self._held:
            if runs_when_called(held.function) and (wrapper := make(held.function, self._recorded)) is not None:
                layer = CodeLayer(held.function, wrapper.code_for, is_outermost=True)
                patches.append(Patch(self._call, self._point, wrapper, layer, is_inner=True, recorded=self._recorded))
        self._recorded.layers += [patch.layer for patch in patches]
        return patches, None

    def _install_stand_ins(self, wrapping: Wrapping, make: MakeWrapper) -> tuple[list[Patch], Closure | None]:
        patches, stand_ins = [], StandIns(wrapping)
        for number in wrapping.definitions:
            function = wrapping.functions[number]
            wrapper = make(function, None)
            if wrapper is None:
                stand_ins.add(number, None)
                continue
            layer = CodeLayer(function, wrapper.code_for, closure=stand_ins.closure(number), is_outermost=True)
            stand_ins.add(number, layer.original)
            patches.append(Patch(self._call, self._point, wrapper, layer, is_inner=True))
        return patches, stand_ins.closure(0)

    def finish(self, patch: Patch) -> None:
        """Take note of the patch of the callable itself."""
        self._recorded.layers.append(patch.layer)


def find_holders_below_decorators(call: CallPlan, point: PatchPoint) -> Bypass | None:
    """Find objects that hold the function below the decorators of a callable, and whose calls are not seen.

    Raises PatchError if the value is not a callable.
    """
    return InnerPatches(call, point, unwrap(point.value, call)[0]).bypass
