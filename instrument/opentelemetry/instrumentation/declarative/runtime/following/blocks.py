"""Following the context managers of ``contextlib``: their span is current in the ``with`` block and ends with it."""

from __future__ import annotations

import contextlib
import types
import weakref
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.following.followed_call import FollowedCall
from opentelemetry.instrumentation.declarative.runtime.following.iterators import asynchronous_steps, generator_steps
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import is_instrumented, uninstrumented

_USED_AS_DECORATOR = (
    "the context manager is used as a decorator, and the calls of the decorated function are not recorded; hook that "
    "function instead, or the function with the decorator contextmanager"
)
#: The code of the functions that return context managers.
_FACTORIES = {
    id(factory.__code__): factory.__code__
    for factory in (contextlib.contextmanager(iter), contextlib.asynccontextmanager(iter))  # type: ignore[arg-type]
    if isinstance(factory, types.FunctionType)
}


def follow_block(manager: Any, call: FollowedCall) -> Any:
    """Return the context manager itself, whose generator is replaced by one that makes the span current."""
    return _follow(manager, generator_steps(manager.gen, call, is_block=True), call)


def follow_asynchronous_block(manager: Any, call: FollowedCall) -> Any:
    """Return the context manager itself. The same for asynchronous ones."""
    return _follow(manager, asynchronous_steps(manager.gen, call, is_block=True), call)


def _follow(manager: Any, generator: Any, call: FollowedCall) -> Any:
    generator.__name__, generator.__qualname__ = manager.gen.__name__, manager.gen.__qualname__
    reference, recreate = weakref.ref(manager), type(manager)._recreate_cm

    def recreated() -> Any:
        # It is used as a decorator: each call of the decorated function has a context manager of its own.
        found: Any = reference()
        factory = hooked_factory(found)
        if not call.has_ended:
            call.dropped()
            if factory is None:
                call.report(RuntimeError(_USED_AS_DECORATOR))
        return recreate(found) if factory is None else factory(*found.args, **found.kwds)

    manager.gen, manager._recreate_cm = generator, recreated
    return manager


#: The functions that make context managers, by the function that they call for it, while they are hooked.
_hooked: weakref.WeakKeyDictionary[Any, weakref.ref[types.FunctionType]] = weakref.WeakKeyDictionary()


def is_factory(function: Any) -> bool:
    """Whether a function is one that only makes context managers: that of ``contextmanager``."""
    is_function = type(function) is types.FunctionType
    return is_function and id(uninstrumented(function).__code__) in _FACTORIES and "__wrapped__" in vars(function)


def add_factory(function: types.FunctionType) -> None:
    """Take note of a hooked function that makes context managers."""
    _hooked[vars(function)["__wrapped__"]] = weakref.ref(function)


def hooked_factory(manager: Any) -> types.FunctionType | None:
    """The hooked function that makes a context manager like this one, and does nothing else."""
    try:
        reference = _hooked.get(manager.func)
    except TypeError:  # it cannot be hashed or referred to
        return None
    function = None if reference is None else reference()
    return function if function is not None and is_instrumented(function) else None
