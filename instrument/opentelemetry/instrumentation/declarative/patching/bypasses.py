"""Where calls of a hooked callable go by: names that hold it unpatched, and subclasses that have their own."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.import_hooks import contents
from opentelemetry.instrumentation.declarative.patching.targets import Place
from opentelemetry.instrumentation.declarative.plan.model import CallPlan

#: How many subclasses are named in one message.
_MOST_NAMED = 3


def copies_of(place: Place) -> Iterator[tuple[str, types.ModuleType, str]]:
    """The other modules that hold a function, each with its name and the function's in it."""
    if not isinstance(place.owner, types.ModuleType):
        return
    for loaded, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and module is not place.owner:
            for name, value in list(contents(module).items()):
                if value is place.found:
                    yield loaded, module, name


def copied(call: CallPlan, place: Place) -> Problem | None:
    """Where `from module import function` has already carried the function to: there it stays unpatched."""
    holders = sorted({loaded for loaded, _, _ in copies_of(place)})
    if not holders:
        return None
    return Problem(
        call.target.mark,
        "copied",
        f"{call.target} was imported by name before it could be patched, in: {', '.join(holders)}. "
        "Calls from there are not seen",
        "start the program under opentelemetry-instrument, or hook it there too",
        "warning",
    )


def renamed(call: CallPlan, place: Place, calls: Iterable[CallPlan]) -> Problem | None:
    """By which other names its own owner holds the callable (`b = a`): there it stays unpatched."""
    if call.tap:
        return None
    way = call.target.path.rpartition(".")[0]
    hooked = {each.target.path for each in calls if each.target.module == call.target.module}
    holders = place.owner.__mro__ if isinstance(place.owner, type) else (place.owner,)
    names = {name for holder in holders for name, held in list(vars(holder).items()) if held is place.found}
    others = {f"{way}.{name}".lstrip(".") for name in names - {place.name}} - hooked
    if not others:
        return None
    return Problem(
        call.target.mark,
        "other-name",
        f"{call.target} has another name as well: {', '.join(sorted(others))}. Calls by that name are not seen",
        "hook it too",
        "warning",
    )


def shadowed(call: CallPlan, place: Place, patched: Collection[tuple[Any, str]]) -> Problem | None:
    """Which subclasses have a method of their own that does not call the hooked one, and is not hooked itself."""
    if call.tap or not isinstance(place.owner, type):
        return None
    own = [
        f"{heir.__module__}:{heir.__qualname__}"
        for heir in _heirs(place.owner)
        if place.name in vars(heir)
        and (heir, place.name) not in patched
        and not _passes_on(vars(heir)[place.name], place.name, heir)
    ]
    if not own:
        return None
    named = sorted(dict.fromkeys(own))
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return Problem(
        call.target.mark,
        "shadowed",
        f"{call.target} is not called by subclasses that have a {place.name} of their own: "
        f"{', '.join(named[:_MOST_NAMED])}{more}. Calls of theirs are not seen",
        f"hook {named[0]}.{place.name} too",
        "warning",
    )


def _heirs(owner: type) -> Iterator[type]:
    """Every class below another, each once."""
    seen: set[type] = set()
    waiting: list[type] = type.__subclasses__(owner)
    while waiting:
        heir = waiting.pop(0)
        if heir not in seen:
            seen.add(heir)
            yield heir
            waiting += type.__subclasses__(heir)


def _passes_on(held: Any, name: str, heir: type) -> bool:
    """Whether a method may call that of a class above: by its name, through ``super`` or through the class itself.

    What is no Python function, or is abstract and never runs by itself, is not spoken of.
    """
    if getattr(held, "__isabstractmethod__", False):
        return True
    codes = [*_codes(held)]
    words = {word for code in codes for word in (*code.co_names, *code.co_freevars)}
    above = {"super", "__class__", *(base.__name__ for base in heir.__mro__[1:-1])}
    return not codes or (name in words and not words.isdisjoint(above))


def _codes(held: Any) -> Iterator[types.CodeType]:
    """The code of a callable with all that it is made of: what it wraps, and functions inside of functions."""
    seen: set[int] = set()
    waiting: list[Any] = [held]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, types.CodeType):
            yield found
            waiting += [each for each in found.co_consts if isinstance(each, types.CodeType)]
        elif isinstance(found, types.FunctionType):
            waiting += [found.__code__, vars(found).get("__wrapped__")]
            waiting += [cell.cell_contents for cell in found.__closure__ or () if _is_function_in(cell)]
        elif isinstance(found, property):
            waiting.append(found.fget)
        elif isinstance(found, (staticmethod, classmethod)):
            waiting.append(found.__func__)
        elif isinstance(found, functools.cached_property):
            waiting.append(found.func)


def _is_function_in(cell: types.CellType) -> bool:
    try:
        return isinstance(cell.cell_contents, types.FunctionType)
    except ValueError:  # nothing is in it yet
        return False
