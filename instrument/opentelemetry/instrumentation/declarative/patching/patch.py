"""One installed patch, and how to remove it exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.patching.targets import MISSING, PatchPoint
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.wrappers import CodeSwitch, Wrapper

#: By id: replacements that were removed while another wrapper still covered them, each with what it had replaced.
#: If the covering wrapper belongs to another of our specs, removing it restores what was there before both.
_removed_below: dict[int, tuple[Any, Any]] = {}


@dataclass(frozen=True, slots=True)
class Patch:
    """An installed patch: the call plan, where it is installed, the object put there and its wrapper."""

    call: CallPlan
    point: PatchPoint
    replacement: Any
    wrapper: Wrapper
    #: The functions of earlier plans at this point. Code that still holds one calls it; it forwards to this wrapper.
    predecessors: tuple[CodeSwitch, ...] = ()

    def pass_through(self) -> None:
        """Make every function of this patch call the original and nothing else, from the next call on."""
        self.wrapper.pass_through()
        for predecessor in self.predecessors:
            predecessor.pass_through()

    @property
    def live_functions(self) -> tuple[CodeSwitch, ...]:
        """All functions of this patch that the program may still call after it is removed."""
        own = (self.wrapper.switch,) if self.wrapper.switch is not None else ()
        return still_referenced((*self.predecessors, *own))

    def is_at(self, owner: Any, name: str) -> bool:
        return self.point.owner is owner and self.point.name == name

    @property
    def is_in_place(self) -> bool:
        """Whether the owner still holds our replacement, and not a wrapper of it by another tool."""
        return vars(self.point.owner).get(self.point.name) is self.replacement

    def remove(self) -> None:
        """Restore the original value. If another tool has wrapped our replacement, that stays and passes through."""
        self.pass_through()
        if self.is_in_place:
            _restore(self.point)
        else:
            _removed_below[id(self.replacement)] = self.replacement, self.point.own_value


def still_referenced(switches: Iterable[CodeSwitch]) -> tuple[CodeSwitch, ...]:
    """Return those whose function is still alive."""
    return tuple(switch for switch in switches if switch.function() is not None)


def _restore(point: PatchPoint) -> None:
    value = point.own_value
    while id(value) in _removed_below:
        _, value = _removed_below.pop(id(value))
    if value is MISSING:
        delattr(point.owner, point.name)
    else:
        setattr(point.owner, point.name, value)
