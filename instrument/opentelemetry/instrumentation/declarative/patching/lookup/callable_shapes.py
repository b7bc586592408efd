"""The shape of a callable: what the code that is generated for it depends on.

Callbacks are often functions or partials that are created for each call. Those of the same shape share the generated
code, which holds neither the closure of a function nor the object of a method.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Hashable
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.following.special_methods import defined


def receiver_and_raw(value: Any) -> tuple[Any, Any]:
    """Return the object on which a callable is called, None if there is none, and the callable that gets both."""
    kind = type(value)
    if kind is types.MethodType:
        return value.__self__, value.__func__
    if kind is types.BuiltinMethodType and value.__self__ is not None and type(value.__self__) is not types.ModuleType:
        found = defined(type(value.__self__), value.__name__)
        if found is not None and type(found.value) is types.MethodDescriptorType:
            return value.__self__, found.value
    if kind not in (types.FunctionType, types.BuiltinFunctionType, functools.partial):
        found = defined(kind, "__call__")
        if found is not None and type(found.value) is types.FunctionType:
            return value, found.value
    return None, value


def shape_of(raw: Any) -> Hashable:
    """Return what is equal for callables with the same signature."""
    if type(raw) is types.FunctionType:
        return (raw.__code__, *map(id, (*(raw.__defaults__ or ()), *(raw.__kwdefaults__ or {}).values())))
    if type(raw) is functools.partial:
        return functools.partial, shape_of(raw.func), len(raw.args), *sorted(raw.keywords)
    if isinstance(raw, types.MethodDescriptorType | types.WrapperDescriptorType):
        return raw
    if type(raw) is types.BuiltinFunctionType:
        return types.BuiltinFunctionType, raw.__module__, raw.__qualname__

    return ("object of", type(raw))


def similar(raw: Any) -> Any:
    """Return a callable with the same shape that does not keep alive what the program has put into this one.

    It is not a Python function itself: the generated code is called with what a wrapt proxy passes.
    """
    if type(raw) is types.FunctionType:
        closure = tuple(types.CellType() for _ in raw.__code__.co_freevars)
        function = types.FunctionType(raw.__code__, {}, raw.__name__, raw.__defaults__, closure)
        function.__kwdefaults__ = raw.__kwdefaults__
        function.__module__, function.__qualname__ = raw.__module__, raw.__qualname__
        return functools.partial(function)
    if type(raw) is functools.partial:
        return functools.partial(similar(raw.func), *[None] * len(raw.args), **dict.fromkeys(raw.keywords))
    return raw
