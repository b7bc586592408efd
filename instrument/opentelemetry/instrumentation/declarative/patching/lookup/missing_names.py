"""The problem that a module or class does not have the name of a target, with the one that was probably intended."""

from __future__ import annotations

import sys
import types
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, closest
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import in_release, missing_name
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import LOCALS, nested_names
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import (
    MISSING,
    can_be_changed,
    static_attribute,
)


def missing_attribute(target: Target, module: types.ModuleType, owner: Any, path: list[str], name: str) -> Problem:
    """The problem that a class or module does not have a name. ``path`` leads from the module to the owner."""
    release, owner_name = in_release(module), ".".join([target.module, *path])
    if isinstance(owner, type) and name in vars(object):
        message = f"{owner_name} has no {name} of its own{release}, only that of object: hooks on it are inactive"
        return Problem(target.mark, "target-missing", message, f"define {name} in the class", subject=name)
    message = f"{owner_name} has no {name}{release}: hooks on it are inactive"
    if isinstance(owner, types.ModuleType):
        inside = _method_named(owner, name) or _nested_function_named(owner, name)
        if inside is not None:
            return missing_name(target.mark, message, name, inside)
    if isinstance(owner, types.ModuleType) and "__getattr__" in vars(owner) and (help := _on_demand(owner, target)):
        return Problem(target.mark, "target-missing", message, help, subject=name)
    is_object = not isinstance(owner, (type, types.ModuleType, types.FunctionType))
    if is_object and static_attribute(type(owner), name) is not MISSING:
        return _method_of_class(target, owner, owner_name, name)
    suggestion = closest(name, (known for known in dir(owner) if _is_hookable(static_attribute(owner, known))))
    if path and not isinstance(owner, type):
        suggestion = _nested(name, owner, ".".join(path)) or suggestion
    if suggestion is None and is_object and callable(owner):
        suggestion = f"{target.module}:{'.'.join(path)}"
    return missing_name(target.mark, message, name, suggestion)


def _on_demand(module: types.ModuleType, target: Target) -> str | None:
    """What to hook instead of a name that the `__getattr__` of a module provides; None if it probably does not."""
    name = target.path.partition(".")[0]
    for path, loaded in list(sys.modules.items()):
        in_package = path.partition(".")[0] == module.__name__.partition(".")[0] and loaded is not module
        if in_package and getattr(static_attribute(loaded, name), "__module__", None) == path:
            return (
                f"{module.__name__} provides it on demand: name the module that defines it, as in {path}:{target.path}"
            )
    if name in dir(module) or closest(name, dir(module)) is None:
        return f"{module.__name__} may provide it on demand, by __getattr__: name the module that defines it"
    return None


def _method_of_class(target: Target, owner: Any, owner_name: str, name: str) -> Problem:
    """The problem that a path leads into an object, whose class has the method."""
    cls = type(owner)
    message = f"{owner_name} has no {name} of its own, only that of its class: hooks on it are inactive"
    suggestion = f"{cls.__module__}:{cls.__qualname__}.{name}" if can_be_changed(cls) else None
    help = f"hook {suggestion}" if suggestion else None
    return Problem(target.mark, "target-missing", message, help, subject=name, suggestion=suggestion)


def missing_definition(target: Target, module: types.ModuleType, value: Any, outer: str, inner: str) -> Problem:
    """The problem that a function does not define what a path names within it."""
    message = f"{target.module}:{outer} defines no {inner}{in_release(module)}: hooks on it are inactive"
    return missing_name(target.mark, message, inner, _nested(inner, value, outer))


def inherited_definition(target: Target, owner: type, name: str, inner: str) -> Problem:
    """The problem that a path leads into a method that the class inherits."""
    defining = next(each for each in owner.__mro__ if name in vars(each))
    message = f"{owner.__qualname__} inherits {name} from {defining.__qualname__}: hooks on {target} are inactive"
    suggestion = f"{defining.__module__}:{defining.__qualname__}.{name}.{LOCALS}.{inner}"
    return missing_name(target.mark, message, str(target), suggestion)


def _nested(name: str, function: Any, path: str) -> str | None:
    """The path of what a function defines that was probably intended."""
    known = nested_names(function, path)
    without_locals = {each.replace(f"{LOCALS}.", ""): each for each in reversed(known)}
    by_last = {each.rpartition(".")[2]: each for each in reversed(known)}
    last = name.rpartition(".")[2]
    found = without_locals.get(name.replace(f"{LOCALS}.", "")) or by_last.get(last)
    found = found or closest(name, known) or by_last.get(closest(last, by_last) or "")
    return None if found is None else f"{path}.{LOCALS}.{found}"


def _method_named(module: types.ModuleType, name: str) -> str | None:
    """The only method of this name of a class of a module, as in ``Cart.pay``."""
    found = [
        f"{each.__name__}.{name}"
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and callable(vars(each).get(name))
    ]
    return found[0] if len(found) == 1 else None


def _nested_function_named(module: types.ModuleType, name: str) -> str | None:
    """The only function of this name that a function of a module defines, as in ``create_app.<locals>.index``."""
    found = [
        f"{each.__name__}.{LOCALS}.{inner}"
        for each in vars(module).values()
        if isinstance(each, types.FunctionType) and each.__module__ == module.__name__
        for inner in nested_names(each, each.__name__)
        if inner.rpartition(".")[2] == name
    ]
    return found[0] if len(found) == 1 else None


def _is_hookable(value: Any) -> bool:
    """Whether a value may be a part of the path to a callable: not one of the names that Python adds to each class."""
    return (
        value is not MISSING
        and (callable(value) or hasattr(type(value), "__get__"))
        and (type(value) is not types.GetSetDescriptorType)
    )
