"""One patch that is in place, and how it is taken out exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.patching.targets import ABSENT, Place
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.wrappers import Former, Wrapper

#: Wrappers that are undone and that another still covers, by their id, with what they replaced. When the other goes
#: and is one of ours, from another spec, what it covered is not put back: what was there before all of them is.
_covered: dict[int, tuple[Any, Any]] = {}


@dataclass(frozen=True, slots=True)
class Done:
    """A patch that is in place: for what call of the plan, where, and the object of ours that hangs there."""

    call: CallPlan
    place: Place
    ours: Any
    wrapper: Wrapper
    #: Those of earlier plans, which whoever took them by name still calls. They hand on to this one.
    formers: tuple[Former, ...] = ()

    def pass_through(self) -> None:
        self.wrapper.pass_through()
        for former in self.formers:
            former.pass_through()

    @property
    def outlived(self) -> tuple[Former, ...]:
        """All functions of ours that somebody might still call once they are no longer in place."""
        return still_held((*self.formers, *((self.wrapper.former,) if self.wrapper.former is not None else ())))

    def covers(self, owner: Any, name: str) -> bool:
        return self.place.owner is owner and self.place.name == name

    @property
    def hangs(self) -> bool:
        """Whether nobody has put anything else there since."""
        return vars(self.place.owner).get(self.place.name) is self.ours

    def take_out(self) -> None:
        """Put back what was there; where somebody has wrapped ours since, ours passes through."""
        self.pass_through()
        if self.hangs:
            _put_back(self.place)
        else:
            _covered[id(self.ours)] = self.ours, self.place.held


def still_held(formers: Iterable[Former]) -> tuple[Former, ...]:
    """Those that somebody still holds."""
    return tuple(former for former in formers if former.function() is not None)


def _put_back(place: Place) -> None:
    held = place.held
    while id(held) in _covered:
        _, held = _covered.pop(id(held))
    if held is ABSENT:
        delattr(place.owner, place.name)
    else:
        setattr(place.owner, place.name, held)
