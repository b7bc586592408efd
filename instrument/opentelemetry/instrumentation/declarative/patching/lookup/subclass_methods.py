"""Finds the method of a class and all its subclasses: where the classes that exist define it."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.nodes.callables import Callables
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.module_objects import modules_named
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.lookup.matching import is_excluded
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import value_at
from opentelemetry.instrumentation.declarative.patching.lookup.subclasses import subclasses_of
from opentelemetry.instrumentation.declarative.patching.lookup.targets import find_patch_point
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan
from opentelemetry.instrumentation.declarative.records import record

#: The flag of classes in C whose attributes cannot be set.
_IMMUTABLE = 1 << 8
#: Modules whose classes record calls: a call of theirs that was recorded would cause another one.
_USED_BY_OURSELVES = ("opentelemetry.sdk.", "opentelemetry.instrumentation.declarative.", "weakref", "_weakrefset")


@record(frozen=True)
class Definition:
    """A class that defines the method, and what it holds."""

    owner: type
    value: Any
    call: CallPlan


def definitions_of(hook: HookPlan, base: type) -> Iterator[Definition]:
    """The definitions of the method of a hook that instances of a class and its subclasses have."""
    seen: set[type] = set()
    for cls in (base, *subclasses_of(base)):
        found = definition_for(hook, cls)
        if found is not None and found.owner not in seen:
            seen.add(found.owner)
            yield found


def definition_for(hook: HookPlan, cls: type) -> Definition | None:
    """The definition that instances of a class have: of the class or one behind it, which may be a mixin."""
    calls = hook.hook.calls
    assert calls is not None and calls.method is not None
    name = calls.method.value
    owner = owner_of(cls, name)
    value = None if owner is None else vars(owner)[name]
    if owner is None or value is None:  # None takes a method away
        return None
    if owner.__flags__ & _IMMUTABLE or owner.__module__.startswith(_USED_BY_OURSELVES):
        return None
    target = Target(owner.__module__, f"{owner.__qualname__}.{name}", calls.named[0].mark)
    if is_excluded(target, calls):
        return None
    return Definition(owner, value, CallPlan(target, None, [hook]))


def owner_of(cls: type, name: str) -> type | None:
    """The class in which a lookup on an instance finds a method; None if it is ``object`` or there is none."""
    return next((each for each in cls.__mro__ if each is not object and name in vars(each)), None)


def base_classes(calls: Callables, module: types.ModuleType | None = None) -> list[type]:
    """The class that a hook names, in a given module or in all of its name. Raises PatchError if it is not a class."""
    target = calls.subclass_of
    assert target is not None
    modules = modules_named(target.module) if module is None else [module]
    found = [find_patch_point(each, CallPlan(target)).value for each in modules]
    classes = [each for each in found if isinstance(each, type)]
    if found and not classes:
        message = f"{target} is not a class: the hook on its subclasses is inactive"
        raise PatchError(Problem(target.mark, "not-a-class", message, "name the base class"))
    return classes


def calls_of_subclasses(plan: Plan) -> list[CallPlan]:
    """The methods that the hooks of a plan on subclasses are on now. Raises no errors: others report them."""
    found = []
    for hook in plan.patterns:
        if hook.hook.calls is not None and hook.hook.calls.method is not None:
            try:
                bases = base_classes(hook.hook.calls)
            except PatchError:
                continue
            for base in bases:
                definitions = [each for each in definitions_of(hook, base) if _is_named(each)]
                found += [each.call for each in definitions[: hook.hook.calls.limit]]
    return found


def _is_named(definition: Definition) -> bool:
    """Whether the path of a class leads to it."""
    *path, _ = definition.call.target.path.split(".")
    return any(value_at(module, path) is definition.owner for module in modules_named(definition.owner.__module__))
