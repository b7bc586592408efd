"""Patches of functions that are defined within others: of their code, for those that exist and those made later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from opentelemetry.instrumentation.declarative.patching.bypasses import Bypass
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import NestedDefinition
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.function_code.shared_code import (
    Missed,
    SharedCodeLayer,
    one_search,
)
from opentelemetry.instrumentation.declarative.wrappers import Wrapper

#: Makes the wrapper for a definition; None if no rule can be applied to it.
MakeWrapper = Callable[[CallPlan, NestedDefinition], "Wrapper | None"]


@record(frozen=True)
class NestedPatch:
    """The wrapper of one definition, which is in all functions that it makes."""

    call: CallPlan
    definition: NestedDefinition
    wrapper: Wrapper
    layer: SharedCodeLayer

    def remove(self) -> None:
        """Give all functions their code back. Those that cannot be found, and those made later, only call it."""
        if not self.layer.remove():
            self.wrapper.switch_off()


class NestedPatches:
    """The patches of one spec that are in functions within others."""

    def __init__(self) -> None:
        self._patches: list[NestedPatch] = []

    def __iter__(self) -> Iterator[NestedPatch]:
        return iter(self._patches)

    def patch(self, call: CallPlan, definition: NestedDefinition, make: MakeWrapper) -> Bypass | None:
        """Patch a definition. Return why some functions that it has made, or will make, cannot be patched."""
        known = next((each for each in self._patches if _is_same(each.definition, definition)), None)
        if known is not None:
            if known.call is not call:
                self._use(known, call, make)
            return None
        wrapper = make(call, definition)
        if wrapper is None:
            return None
        layer = SharedCodeLayer(definition.outer, definition.constants, wrapper.code_around)
        self._patches.append(NestedPatch(call, definition, wrapper, layer))
        return None if layer.missed is None else _bypass(call, layer.missed)

    def change(self, plan_of: Callable[[CallPlan], CallPlan | None], make: MakeWrapper) -> None:
        """Use the wrappers of other plans. A patch for which there is none is removed."""
        with one_search():
            for patch in list(self._patches):
                call = plan_of(patch.call)
                if call is None:
                    self._remove(patch)
                else:
                    self._use(patch, call, make)

    def undo(self) -> None:
        with one_search():
            for patch in reversed(list(self._patches)):
                self._remove(patch)

    def _use(self, patch: NestedPatch, call: CallPlan, make: MakeWrapper) -> None:
        wrapper = make(call, patch.definition)
        if wrapper is None:
            self._remove(patch)
            return
        patch.layer.replace(wrapper.code_around)
        self._patches[self._patches.index(patch)] = replace(patch, call=call, wrapper=wrapper)

    def _remove(self, patch: NestedPatch) -> None:
        patch.remove()
        self._patches.remove(patch)


def _is_same(one: NestedDefinition, other: NestedDefinition) -> bool:
    return one.code is other.code and one.outer is other.outer


def _bypass(call: CallPlan, missed: Missed) -> Bypass:
    if missed == "frozen":
        return Bypass(
            call,
            "held",
            "is defined by a function that the garbage collector ignores (`gc.freeze`)",
            "Functions that it made before are not seen",
            "freeze the objects after the spec is active",
        )
    return Bypass(
        call,
        "held",
        "is defined by calls that were in progress before it could be patched",
        "The functions that these calls define from now on are not seen",
        "start the program under opentelemetry-instrument",
    )
