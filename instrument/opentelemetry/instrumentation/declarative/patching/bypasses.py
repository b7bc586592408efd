"""Calls that bypass a hook: of an original callable that was replaced and is still held, and of overrides.

A Python function is not replaced but gets other code, which every call of it runs.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import contents
from opentelemetry.instrumentation.declarative.patching.lookup.subclasses import subclasses_of
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, function_of, receiver_of
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Plan
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import uninstrumented

#: How many subclasses or modules a message names.
_MOST_NAMED = 3
#: The modules whose calls nobody wants to see.
_OURS = "opentelemetry.instrumentation.declarative."


@record(frozen=True)
class Bypass:
    """Why some calls of a hooked callable are not seen: a predicate of the callable, and how to see them too."""

    call: CallPlan
    code: str
    reason: str
    effect: str
    help: str

    @property
    def problem(self) -> Problem:
        target = self.call.target
        return Problem(target.mark, self.code, f"{target} {self.reason}. {self.effect}", self.help, "warning")


def compiled(call: CallPlan, compiler: str) -> Bypass:
    """Return the bypass of a function that a library compiles."""
    return Bypass(
        call,
        "held",
        f"is compiled by {compiler}",
        "Calls of the compiled code are not seen",
        "hook a function that calls the compiled one",
    )


def copies_of(point: PatchPoint) -> Iterator[tuple[str, types.ModuleType, str]]:
    """The other modules that hold a function: each with its name, and the function's name in it."""
    if not isinstance(point.owner, types.ModuleType):
        return
    for module_name, module in list(sys.modules.items()):
        if module is not point.owner:
            for name, value in list(contents(module).items()):
                if value is point.value:
                    yield module_name, module, name


def find_copies(call: CallPlan, point: PatchPoint, plan: Plan) -> Bypass | None:
    """Find modules that `from module import function` has already copied the callable to, and that no hook names."""
    if function_of(call, point) is not None:
        return None
    # A callable in C is often defined in a module of its own, from which the hooked module has it: that is no copy.
    defined_in = getattr(point.value, "__module__", None)
    others = ((name, held_as) for name, _, held_as in copies_of(point) if name != defined_in)
    found = {each for each in others if not each[0].startswith(_OURS)}
    copies = sorted(found - _hooked_names(plan)) if found else []  # most callables have none
    if not copies:
        return None
    modules = list(dict.fromkeys(name for name, _ in copies))
    more = f" and {len(modules) - _MOST_NAMED} more" if len(modules) > _MOST_NAMED else ""
    return Bypass(
        call,
        "copied",
        f"was imported by name before it could be patched, in: {', '.join(modules[:_MOST_NAMED])}{more}",
        "Calls from there are not seen",
        f"start the program under opentelemetry-instrument, or hook {copies[0][0]}:{copies[0][1]} too",
    )


def _hooked_names(plan: Plan) -> set[tuple[str, str]]:
    """Module and path of each callable that a hook names, alone or among several."""
    several = [hook.hook.calls.include for hook in plan.patterns if hook.hook.calls is not None]
    return {(each.module, each.path) for names in ([call.target for call in plan.calls], *several) for each in names}


def find_aliases(call: CallPlan, point: PatchPoint, calls: Iterable[CallPlan]) -> Bypass | None:
    """Find other names that the callable has in its own class or module (`b = a`) and that no hook names."""
    if call.extension or function_of(call, point) is not None:
        return None
    path = call.target.path.rpartition(".")[0]
    hooked = {each.target.path for each in calls if each.target.module == call.target.module}
    holders = point.owner.__mro__ if isinstance(point.owner, type) else (point.owner,)
    names = {name for holder in holders for name, value in list(vars(holder).items()) if value is point.value}
    aliases = {f"{path}.{name}".lstrip(".") for name in names - {point.name}} - hooked
    if not aliases:
        return None
    return Bypass(
        call,
        "other-name",
        f"has another name: {', '.join(sorted(aliases))}",
        "Calls through that name are not seen",
        "hook that name too",
    )


def find_same_function(call: CallPlan, point: PatchPoint, others: Iterable[CallPlan]) -> Bypass | None:
    """Find another name by which the same function is hooked. ``others`` are the plans for the function so far."""
    names = [str(other.target) for other in others if str(other.target) != str(call.target)]
    if not names or receiver_of(point) is not None:
        return None
    return Bypass(
        call,
        "same-function",
        f"is the same function as {names[0]}",
        "Each call of it runs the hooks of both names",
        "hook one of the names",
    )


def find_overrides(call: CallPlan, point: PatchPoint, patched: Collection[tuple[Any, str]]) -> Bypass | None:
    """Find subclasses whose own method neither calls the hooked one nor is hooked itself."""
    if call.extension or not isinstance(point.owner, type):
        return None
    overrides = [
        f"{subclass.__module__}:{subclass.__qualname__}"
        for subclass in subclasses_of(point.owner)
        if point.name in vars(subclass)
        and (subclass, point.name) not in patched
        and not _may_call_inherited(vars(subclass)[point.name], point.name, subclass)
    ]
    if not overrides:
        return None
    names = sorted(dict.fromkeys(overrides))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    base = f"{call.target.module}:{call.target.path.rpartition('.')[0]}"
    all_of_them = f"{{subclass_of: {base!r}, method: {point.name}}}"
    return Bypass(
        call,
        "shadowed",
        f"is overridden without a super() call in: {', '.join(names[:_MOST_NAMED])}{more}",
        "Calls of those methods are not seen",
        f"hook {names[0]}.{point.name} too, or all of them with `call: {all_of_them}`",
    )


def _may_call_inherited(value: Any, name: str, subclass: type) -> bool:
    """Whether a method may call the one it overrides: by its name, through ``super`` or through a base class.

    True as well if that cannot be determined (not a Python function) or does not matter (abstract).
    """
    if getattr(value, "__isabstractmethod__", False):
        return True
    codes = [*_codes(value)]
    used = {used for code in codes for used in (*code.co_names, *code.co_freevars)}
    bases = {"super", "__class__", *(base.__name__ for base in subclass.__mro__[1:-1])}
    return not codes or (name in used and not used.isdisjoint(bases))


def _codes(value: Any) -> Iterator[types.CodeType]:
    """The code objects of a callable: its own, those of functions it wraps, and those of nested functions."""
    seen: set[int] = set()
    waiting: list[Any] = [value]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, types.CodeType):
            yield found
            waiting += [each for each in found.co_consts if isinstance(each, types.CodeType)]
        elif isinstance(found, types.FunctionType):
            waiting += [uninstrumented(found).__code__, vars(found).get("__wrapped__")]
            waiting += [cell.cell_contents for cell in found.__closure__ or () if _holds_function(cell)]
        elif isinstance(found, property):
            waiting.append(found.fget)
        elif isinstance(found, (staticmethod, classmethod)):
            waiting.append(found.__func__)
        elif isinstance(found, functools.cached_property):
            waiting.append(found.func)


def _holds_function(cell: types.CellType) -> bool:
    try:
        return isinstance(cell.cell_contents, types.FunctionType)
    except ValueError:  # the cell is still empty
        return False
