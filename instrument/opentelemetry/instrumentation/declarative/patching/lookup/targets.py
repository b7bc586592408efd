"""Where a callable is bound, its raw function, and what replaces it. The only module that imports wrapt."""

from __future__ import annotations

import copy
import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import wrapt
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.module_objects import modules_named
from opentelemetry.instrumentation.declarative.patching.imports.script_names import names_in_definitions
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
from opentelemetry.instrumentation.declarative.patching.lookup.caller_frames import needs_callers_frame
from opentelemetry.instrumentation.declarative.patching.lookup.kept_functions import defined_function
from opentelemetry.instrumentation.declarative.patching.lookup.missing_names import (
    inherited_definition,
    missing_attribute,
    missing_definition,
)
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import definitions, split_path
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import (
    MISSING,
    defining_class,
    static_attribute,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Receiver
from opentelemetry.instrumentation.declarative.records import record

#: Descriptors that are not callable themselves but return a callable when looked up on a class or an instance.
_METHOD_DESCRIPTORS = (functools.partialmethod, functools.singledispatchmethod)


@record(frozen=True)
class PatchPoint:
    """Where a callable is bound: an attribute of a class or module.

    ``value`` is what a lookup finds without invoking descriptors. ``own_value`` is what the owner itself holds:
    ``MISSING`` if the callable is inherited. If the callable is defined within a function, that definition is the
    owner, and the values are the sample. If it is a function of a property, ``of_property`` is where that is bound.
    """

    owner: Any
    name: str
    own_value: Any
    value: Any
    of_property: PatchPoint | None = None


def patch_points_of(
    call: CallPlan, extension_class: Callable[[str], type], module: types.ModuleType | None = None
) -> list[PatchPoint]:
    """Return where the callable of a plan is bound: in a given module, or in each that was loaded under its name.

    Raises PatchError if none of them has it.
    """
    points: list[PatchPoint] = []
    errors: list[PatchError] = []
    for each in modules_named(call.target.module) if module is None else [module]:
        try:
            if call.extension is None:
                points += find_patch_points(each, call)
            else:
                points.append(patch_point_of(call, extension_class, each))
        except PatchError as error:
            errors.append(error)
    if errors and not points:
        raise errors[0]
    return points[:1] if call.extension else points


def patch_point_of(
    call: CallPlan, extension_class: Callable[[str], type], module: types.ModuleType | None = None
) -> PatchPoint:
    """Return where the callable of a plan is bound in its module. Raises PatchError if it is missing.

    The methods of an extension are bound to our own subclass, which ``extension_class`` returns for the extension's
    name; ``value`` is then the base class's method.
    """
    owner = extension_class(call.extension) if call.extension else None
    point = find_patch_point(module or sys.modules[call.target.module], call)
    if owner is None:
        return point
    return PatchPoint(owner, point.name, vars(owner).get(point.name, MISSING), point.value)


def find_patch_point(module: types.ModuleType, call: CallPlan) -> PatchPoint:
    """Return where the callable of a plan is bound in its module. Raises PatchError if the module lacks the name."""
    return find_patch_points(module, call)[0]


def find_patch_points(module: types.ModuleType, call: CallPlan) -> list[PatchPoint]:
    """Do the same for a name with several definitions within a function. For others, there is one place."""
    target = call.target
    split = split_path(target.path)
    if split is None:
        return [_named_point(module, target, target.path)]
    outer, inner = split
    point = _named_point(module, target, outer)
    if isinstance(point.owner, type) and point.own_value is MISSING:
        raise PatchError(inherited_definition(target, point.owner, point.name, ".".join(inner)))
    found = definitions(point.value, outer, inner)
    if not found:
        raise PatchError(missing_definition(target, module, point.value, outer, ".".join(inner)))
    return [PatchPoint(each, inner[-1], sample, sample) for each in found for sample in [each.sample()]]


def _named_point(module: types.ModuleType, target: Target, names: str) -> PatchPoint:
    owner: Any = module
    point: PatchPoint | None = None
    path = names.split(".")
    for index, step in enumerate(path):
        owner = defining_class(owner, module.__name__, ".".join(path[:index]))
        value = static_attribute(owner, step)
        if value is MISSING:
            raise PatchError(missing_attribute(target, module, owner, path[:index], step))
        own_value = getattr(owner, "__dict__", {}).get(step, MISSING)
        point = PatchPoint(owner, step, own_value, value, point if isinstance(owner, property) else None)
        owner = value
    assert point is not None, "a target has a name"
    return point


def cannot_patch(call: CallPlan, error: BaseException) -> PatchError:
    """Return the error that the owner of a callable refuses a replacement."""
    message = f"{call.target} cannot be patched: {error}"
    help = "hook a Python callable that calls it"
    if "immutable type" in str(error):
        help += ", or the method of what a callable returns: {value: HOOK.result, method: NAME}"
    return PatchError(Problem(call.target.mark, "cannot-patch", message, help))


def unwrap(value: Any, call: CallPlan) -> tuple[Any, Callable[[Any], Any]]:
    """Return the raw callable inside a descriptor, and a function that puts another callable in its place.

    Raises PatchError if the value is not a callable.
    """
    kind = type(value)  # not `isinstance`: a proxy of another tool claims the class of what it wraps
    if issubclass(kind, (staticmethod, classmethod)):
        return value.__func__, kind
    if issubclass(kind, property) and value.fget is not None:
        return value.fget, functools.partial(_with_getter, value)
    if issubclass(kind, functools.cached_property):
        return value.func, functools.partial(_with_function, value)
    function = None if kind is types.FunctionType else _defined_function(value, call.target)
    if function is not None:
        return function, lambda function: function
    if isinstance(value, type):
        raise PatchError(_class_problem(value, call))
    if not (callable(value) or isinstance(value, _METHOD_DESCRIPTORS)):
        message = f"{call.target} is of type {type(value).__name__}, which cannot be called"
        help = "hook a function, a method or a property: a plain value is read, not called"
        raise PatchError(Problem(call.target.mark, "not-callable", message, help))
    if needs_callers_frame(value):
        message = f"{call.target} uses the frame of its caller, which would be another one"
        raise PatchError(Problem(call.target.mark, "cannot-patch", message, "hook a function that calls it"))
    return value, lambda function: function


def _defined_function(value: Any, target: Target) -> types.FunctionType | None:
    functions = (defined_function(value, each, target.path) for each in names_in_definitions(target.module))
    return next(filter(None, functions), None)


def _class_problem(cls: type, call: CallPlan) -> Problem:
    """The problem that a class itself cannot be hooked, with what can be: its creation, or one of its methods."""
    creation = next((name for name in ("__init__", "__new__") if name in vars(cls)), None)
    methods = [name for name, held in vars(cls).items() if not name.startswith("_") and callable(held)]
    wanted = [name for name in (creation, *methods[:2]) if name]
    help = " or ".join(f"{call.target}.{name}" for name in wanted)
    message = f"{call.target} is a class: hook one of its methods"
    return Problem(call.target.mark, "not-callable", message, f"hook {help}" if help else "hook one of its methods")


def function_of(call: CallPlan, point: PatchPoint) -> types.FunctionType | None:
    """Return the function that gets other code; None if it is replaced with another object, or cannot be hooked."""
    try:
        raw, _ = unwrap(point.value, call)
    except PatchError:
        return None
    return raw if type(raw) is types.FunctionType and call.extension is None else None


def wrapped_functions(raw: Any) -> Iterator[Any]:
    """A function and those that it wraps, according to `functools.wraps`: another tool may have wrapped ours."""
    seen: set[int] = set()
    while type(raw) is types.FunctionType and id(raw) not in seen:
        yield raw
        seen.add(id(raw))
        raw = vars(raw).get("__wrapped__")


def receiver_of(point: PatchPoint) -> Receiver | None:
    """Return the class of the objects on which a function is called that is not only that of its owner.

    It is inherited, or it is shared by assignment, as in ``pay = Other.pay``. None if the class itself defines it. A
    static method has no receiver: whose it is cannot be determined.
    """
    bound = point.of_property or point
    if not isinstance(bound.owner, type):
        return None
    function = point.value.fget if type(point.value) is property else getattr(point.value, "__func__", point.value)
    if bound.own_value is not MISSING and not _is_defined_elsewhere(function, bound.owner):
        return None
    is_new = point.name == "__new__"
    if type(point.value) is staticmethod and not is_new:
        return None
    return Receiver(bound.owner, is_new or type(point.value) is classmethod)


def _is_defined_elsewhere(function: Any, owner: type) -> bool:
    """Whether another class or a module defines a function that a class holds, according to its qualified name."""
    if type(function) is not types.FunctionType:
        return False
    place = function.__qualname__.rpartition(".")[0]
    return (function.__module__, place) != (owner.__module__, owner.__qualname__)


def _with_getter(value: property, getter: Any) -> property:
    """Return a property with another getter. An instance of a subclass keeps its other attributes."""
    changed = value.getter(getter)
    if hasattr(value, "__dict__"):
        vars(changed).update(vars(value))
    return changed


def _with_function(value: functools.cached_property[Any], function: Any) -> functools.cached_property[Any]:
    changed = copy.copy(value)
    changed.func = function
    return changed


class _TransparentProxy:
    """Makes a proxy print, copy and pickle like the object it wraps.

    It pickles by name if that name leads to the proxy itself.
    """

    __slots__ = ()

    def _instrument_original(self) -> Any:
        return self.__wrapped__  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return repr(self.__wrapped__)  # type: ignore[attr-defined]

    def __reduce_ex__(self, protocol: Any) -> Any:
        wrapped: Any = self.__wrapped__  # type: ignore[attr-defined]
        reduced = wrapped.__reduce_ex__(protocol)
        if not isinstance(reduced, str):
            return reduced
        found: Any = sys.modules.get(wrapped.__module__)
        for name in reduced.split("."):
            found = getattr(found, name, None)
        return reduced if found is self else (copy.copy, (wrapped,))

    def __copy__(self) -> Any:
        wrapped: Any = self.__wrapped__  # type: ignore[attr-defined]
        copied = copy.copy(wrapped)
        return self if copied is wrapped else copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        wrapped: Any = self.__wrapped__  # type: ignore[attr-defined]
        copied = copy.deepcopy(wrapped, memo)
        return self if copied is wrapped else copied


class _BoundProxy(_TransparentProxy, wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]
    pass


class CallableProxy(_TransparentProxy, wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """A proxy for a callable that is not a Python function, such as a builtin, and that still looks like it."""

    __bound_function_wrapper__ = _BoundProxy


class _UnbindableProxy(CallableProxy):
    """A proxy for a callable that is not a descriptor, such as a partial: wrapt before 1.17 fails to look it up."""

    def __get__(self, *_: Any) -> Any:
        return self


def make_proxy(raw: Any, function: Callable[..., Any]) -> CallableProxy:
    """Return a proxy that calls ``function`` with wrapt's arguments: the raw callable, instance, args and kwargs."""
    return (CallableProxy if hasattr(type(raw), "__get__") else _UnbindableProxy)(raw, function)
