"""One installed patch, and how to remove it exactly."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.patching.lookup.kept_functions import leads_to
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import MISSING
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer
from opentelemetry.instrumentation.declarative.runtime.function_code.recorded_calls import RecordedCalls
from opentelemetry.instrumentation.declarative.wrappers import Wrapper

#: By id: replacements that were removed while another wrapper still covered them, each with what it had replaced.
#: If the covering wrapper belongs to another of our specs, removing it restores what was there before both.
_removed_below: dict[int, tuple[Any, Any]] = {}


@record(frozen=True)
class Patch:
    """An installed patch: the call plan, where its callable is bound, and the code that is in a function.

    That function is the callable itself. If the callable is not a Python function, it is the function that a proxy
    calls, and ``replacement`` is the object with the proxy in it that was bound instead; ``MISSING`` otherwise.
    """

    call: CallPlan
    point: PatchPoint
    wrapper: Wrapper
    layer: CodeLayer
    replacement: Any = MISSING
    #: Where modules held the callable by `from module import function`, and hold the replacement now.
    copies: tuple[PatchPoint, ...] = ()
    #: Whether the function is not the callable itself but below its decorators; and the calls of which it records none.
    is_inner: bool = False
    recorded: RecordedCalls | None = None

    @property
    def is_replaced(self) -> bool:
        """Whether the owner holds another object than before, instead of the same function with other code."""
        return self.replacement is not MISSING

    @property
    def is_bypassed(self) -> bool:
        """Whether the program has bound its name to something else, or given it other code, that does not call it."""
        point = self.point
        if self.is_inner:
            return False
        if self.layer.is_overwritten:
            return True
        if point.own_value is MISSING:
            return False
        known = (id(self.layer.function), id(self.replacement), id(point.own_value))
        return not leads_to(vars(point.owner).get(point.name), known)

    def rewrapped(self, call: CallPlan, wrapper: Wrapper) -> Patch:
        """Return the patch with another wrapper, which takes effect with the next call."""
        layer = self.layer
        if not layer.replace(wrapper.code_for):
            self.wrapper.switch_off()
            layer.remove()
            layer = CodeLayer(
                layer.function, wrapper.code_for, closure=layer.original.__closure__, is_outermost=layer.is_outermost
            )
        return dataclasses.replace(self, call=call, wrapper=wrapper, layer=layer)

    def remove(self) -> None:
        """Restore the code of the function, and what its owner held.

        If another tool has wrapped our replacement or our code, that stays, and only calls the original.
        """
        if not self.layer.remove():
            self.wrapper.switch_off()
        if not self.is_replaced:
            return
        for point in (self.point, *self.copies):
            if vars(point.owner).get(point.name) is self.replacement:
                _restore(point)
            else:
                _removed_below[id(self.replacement)] = self.replacement, point.own_value


def _restore(point: PatchPoint) -> None:
    value = point.own_value
    while id(value) in _removed_below:
        _, value = _removed_below.pop(id(value))
    if value is MISSING:
        delattr(point.owner, point.name)
    else:
        setattr(point.owner, point.name, value)


class PatchIndex:
    """Patches in the order in which they were installed, found by their callable."""

    def __init__(self, patches: Iterable[Patch] = ()) -> None:
        #: By the identity of the patch's own layer.
        self._patches: dict[CodeLayer, Patch] = {}
        self._by_function: dict[types.FunctionType, list[Patch]] = {}
        self._by_replacement: dict[int, Patch] = {}
        self.add(*patches)

    def __iter__(self) -> Iterator[Patch]:
        return iter(list(self._patches.values()))

    def __reversed__(self) -> Iterator[Patch]:
        return reversed(list(self._patches.values()))

    def add(self, *patches: Patch) -> None:
        for patch in patches:
            self._patches[patch.layer] = patch
            self._by_function.setdefault(patch.layer.function, []).append(patch)
            if patch.is_replaced:
                self._by_replacement[id(patch.replacement)] = patch

    def discard(self, patch: Patch) -> None:
        del self._patches[patch.layer]
        self._by_function[patch.layer.function].remove(patch)
        if patch.is_replaced:
            self._by_replacement.pop(id(patch.replacement), None)

    def in_function(self, function: types.FunctionType) -> list[Patch]:
        """The patches whose code is in a function."""
        return self._by_function.get(function, [])

    def has_hooks(self, function: types.FunctionType, hooks: Iterable[HookPlan]) -> bool:
        """Whether hooks are on a function already, perhaps under another of its names."""
        present = {id(hook) for patch in self.in_function(function) for hook in patch.call.hooks}
        return present.issuperset(map(id, hooks))

    def of_replacement(self, value: Any) -> Patch | None:
        """The patch that has bound this object instead of a callable."""
        return self._by_replacement.get(id(value))

    def at(self, point: PatchPoint) -> list[Patch]:
        """The patches of a patch point: one, and those below its decorators."""
        return [patch for patch in self._patches.values() if patch.point is point]

    def earlier(self, call: CallPlan, point: PatchPoint, functions: Iterable[types.FunctionType]) -> Patch | None:
        """Return the patch that a callable has already, from an earlier match or before its module was reloaded.

        ``functions``: the one at the patch point, and those below its decorators.
        """
        replaced = self.of_replacement(point.own_value)
        if replaced is not None and replaced.point.owner is point.owner and replaced.point.name == point.name:
            return replaced
        target = str(call.target)
        for function in functions:
            for patch in self.in_function(function):
                if str(patch.call.target) == target and not patch.is_replaced:
                    return patch
        return None
