"""Callables that have no code of their own are replaced: a proxy of ours is bound to their name instead."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.patching.bypasses import copies_of
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import is_lazy
from opentelemetry.instrumentation.declarative.patching.lookup.inherited import inherited
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, cannot_patch, make_proxy
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.wrappers import make_caller


@record(frozen=True, eq=False)
class Replacement:
    """The object that replaces a callable, and the function in it, or in its proxy, that wrappers are put into."""

    point: PatchPoint
    caller: types.FunctionType
    replacement: Any

    def is_for(self, point: PatchPoint) -> bool:
        """Whether it replaces the callable that is bound there."""
        mine = self.point
        return mine.owner is point.owner and mine.name == point.name and mine.value is point.value


class Replacements:
    """Every replacement made so far: a later plan may hook its callable again, and code may still hold it."""

    def __init__(self) -> None:
        self._made: list[Replacement] = []

    def bind(self, call: CallPlan, point: PatchPoint, raw: Any, rewrap: Callable[[Any], Any]) -> Replacement:
        """Bind the replacement of a callable. ``rewrap`` puts another callable where ``raw`` is.

        Raises PatchError if the owner refuses it.
        """
        known = next((each for each in self._made if each.is_for(point)), None)
        if known is not None:
            setattr(point.owner, point.name, known.replacement)
            return known
        is_function = type(raw) is types.FunctionType
        caller = raw if is_function else make_caller(raw, call.target)
        try:
            setattr(
                point.owner, point.name, rewrap(caller if is_function else make_proxy(inherited(point, raw), caller))
            )
        except (TypeError, AttributeError) as error:
            raise cannot_patch(call, error) from None
        made = Replacement(point, caller, vars(point.owner)[point.name])  # an owner may bind another object
        self._made.append(made)
        return made

    def bind_copies(self, made: Replacement) -> tuple[PatchPoint, ...]:
        """Bind a replacement in the modules that hold its callable by `from module import function`, too."""
        found = []
        for _, module, name in list(copies_of(made.point)):
            if not is_lazy(module):  # reported as a bypass instead
                setattr(module, name, made.replacement)
                found.append(PatchPoint(module, name, made.point.value, made.point.value))
        return tuple(found)

    def clear(self) -> None:
        self._made.clear()
