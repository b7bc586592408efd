"""Following objects that do not say when they have finished: a proxy stands for the object and sees how it is used.

A proxy has the class, the attributes and the special methods of its object, and no others. It is a different object:
``is`` and ``type()`` can distinguish it, and C code that needs the object's own layout does not accept it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.following.followed_call import FollowedCall
from opentelemetry.instrumentation.declarative.runtime.following.special_methods import (
    SPECIAL_METHODS,
    defined,
    has_methods,
)

_OBJECT, _CALL = "_instrument_object", "_instrument_call"


def make_proxy(target: Any, call: FollowedCall) -> Any:
    """Return a proxy of an object that ends the call when the object has finished."""
    proxy: Any = object.__new__(_proxy_class(type(target)))
    object.__setattr__(proxy, _OBJECT, target)
    object.__setattr__(proxy, _CALL, call)
    if call.subject is None:
        call.subject = target
    return proxy


def proxied_class(cls: type) -> type:
    """Return the class of the object of a proxy, or the class itself if it is not that of a proxy."""
    return _CLASSES.get(cls, cls)


class _Proxy:
    """The base of all proxies."""

    __slots__ = (_CALL, _OBJECT)

    def _instrument_original(self) -> Any:
        return _parts(self)[0]

    def __getattr__(self, name: str) -> Any:
        target, call = _parts(self)
        value = getattr(target, name)
        if name not in _METHODS or call.has_ended or not callable(value):
            return value
        needed, wrap = _METHODS[name]
        return wrap(value, call) if has_methods(type(target), *needed) else value

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_parts(self)[0], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_parts(self)[0], name)

    def __dir__(self) -> list[str]:
        return dir(_parts(self)[0])


def _parts(proxy: Any) -> tuple[Any, FollowedCall]:
    return object.__getattribute__(proxy, _OBJECT), object.__getattribute__(proxy, _CALL)


#: The class of the proxies of each class, and the reverse.
_PROXY_CLASSES: weakref.WeakKeyDictionary[type, type] = weakref.WeakKeyDictionary()
_CLASSES: weakref.WeakKeyDictionary[type, type] = weakref.WeakKeyDictionary()


def _proxy_class(cls: type) -> type:
    made = _PROXY_CLASSES.get(cls)
    if made is None:
        namespace: dict[str, Any] = {
            "__slots__": ("__weakref__",) if getattr(cls, "__weakrefoffset__", 0) else (),
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
            "__class__": property(lambda self: _parts(self)[0].__class__),
        }
        if getattr(cls, "__dictoffset__", 0):
            namespace["__dict__"] = property(lambda self: _parts(self)[0].__dict__)
        for name in SPECIAL_METHODS:
            found = defined(cls, name)
            if found is not None:
                namespace[name] = None if found.value is None else _FOLLOWING.get(name) or _forwarding(name)
        made = _PROXY_CLASSES[cls] = type(cls.__name__, (_Proxy,), namespace)
        _CLASSES[made] = cls
    return made


def _forwarding(name: str) -> Callable[..., Any]:
    def forward(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        target, _ = _parts(self)
        value = getattr(type(target), name)(target, *args, **kwargs)
        return self if value is target and name.startswith("__i") else value

    forward.__name__ = forward.__qualname__ = name
    return forward


class _Part:
    """A part of the use of an object, during which the call's span is current. An exception ends the call.

    ``end`` is the exception that only says that there are no more items.
    """

    __slots__ = ("_call", "_end", "_entered")

    def __init__(self, call: FollowedCall, end: type[BaseException] | tuple[()] = ()) -> None:
        self._call, self._end = call, end

    def __enter__(self) -> None:
        self._entered = self._call.enter()

    def __exit__(self, _kind: Any, error: BaseException | None, _traceback: Any) -> None:
        call = self._call
        try:
            if isinstance(error, self._end):
                value = getattr(error, "value", None)  # of an asynchronous iterator there is none
                call.exhausted(call.subject if value is None else value)
            elif error is not None:
                call.failed(error)
        finally:
            call.leave(self._entered)


# ── Awaiting ──


def _await(self: Any) -> Any:
    target, call = _parts(self)
    return _awaiting(type(target).__await__(target), call)


def _awaiting(iterator: Generator[Any, Any, Any], call: FollowedCall) -> Generator[Any, Any, Any]:
    with _Part(call):
        return call.settled((yield from iterator))


# ── Iterating ──


def _iter(self: Any) -> Any:
    target, call = _parts(self)
    iterator = type(target).__iter__(target)
    return self if iterator is target else make_proxy(iterator, call)


def _next(self: Any) -> Any:
    target, call = _parts(self)
    return _step(partial(type(target).__next__, target), call)


def _step(advance: Callable[..., Any], call: FollowedCall, *args: Any) -> Any:
    with _Part(call, StopIteration):
        item = advance(*args)
        call.gave(item)
        return item


def _aiter(self: Any) -> Any:
    target, call = _parts(self)
    iterator = type(target).__aiter__(target)
    return self if iterator is target else make_proxy(iterator, call)


def _anext(self: Any) -> Any:
    target, call = _parts(self)
    return _asynchronous_step(type(target).__anext__(target), call)


async def _asynchronous_step(waiting: Any, call: FollowedCall) -> Any:
    with _Part(call, StopAsyncIteration):
        item = await waiting
        call.gave(item)
        return item


# ── Blocks ──


def _enter(self: Any) -> Any:
    target, call = _parts(self)
    with _Part(call):
        given = type(target).__enter__(target)
    return _given(self, given, call)


def _exit(self: Any, *raised: Any) -> Any:
    target, call = _parts(self)
    with _Part(call):
        suppressed = type(target).__exit__(target, *raised)
        _block_ended(call, None if suppressed else raised[1])
        return suppressed


async def _aenter(self: Any) -> Any:
    target, call = _parts(self)
    with _Part(call):
        given = await type(target).__aenter__(target)
    return _given(self, given, call)


async def _aexit(self: Any, *raised: Any) -> Any:
    target, call = _parts(self)
    with _Part(call):
        suppressed = await type(target).__aexit__(target, *raised)
        _block_ended(call, None if suppressed else raised[1])
        return suppressed


def _given(proxy: Any, given: Any, call: FollowedCall) -> Any:
    """What the block is given. The proxy stands for the object only if the block may iterate over it."""
    target, _ = _parts(proxy)
    call.enter_block(None if given is target else given)
    is_iterator = has_methods(type(target), "__next__") or has_methods(type(target), "__anext__")
    return proxy if given is target and is_iterator else given


def _block_ended(call: FollowedCall, error: BaseException | None) -> None:
    if error is None:
        call.finished(call.subject if call.given is None else call.given)
    else:
        call.failed(error)


# ── Methods that end the object, or are steps of it ──


def _sending(method: Callable[..., Any], call: FollowedCall) -> Callable[..., Any]:
    return partial(_step, method, call)


def _asynchronous_sending(method: Callable[..., Any], call: FollowedCall) -> Callable[..., Any]:
    return lambda *args: _asynchronous_step(method(*args), call)


def _closing(method: Callable[..., Any], call: FollowedCall) -> Callable[..., Any]:
    def close(*args: Any, **kwargs: Any) -> Any:
        try:
            closed = method(*args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        if isinstance(closed, Coroutine):  # `close` of an asynchronous stream
            return _closed(closed, call)
        call.closed()
        return closed

    return close


async def _closed(closing: Any, call: FollowedCall) -> Any:
    try:
        closed = await closing
    except BaseException as error:
        call.failed(error)
        raise
    call.closed()
    return closed


_FOLLOWING: dict[str, Callable[..., Any]] = {
    "__await__": _await,
    "__iter__": _iter,
    "__next__": _next,
    "__aiter__": _aiter,
    "__anext__": _anext,
    "__enter__": _enter,
    "__exit__": _exit,
    "__aenter__": _aenter,
    "__aexit__": _aexit,
}
#: Methods that end an object or are steps of it, by name: the methods that its class must have as well, and a wrapper.
_METHODS: dict[str, tuple[tuple[str, ...], Callable[[Callable[..., Any], FollowedCall], Callable[..., Any]]]] = {
    "send": (("send", "throw", "close"), _sending),
    "throw": (("send", "throw", "close"), _sending),
    "asend": (("asend", "athrow", "aclose"), _asynchronous_sending),
    "athrow": (("asend", "athrow", "aclose"), _asynchronous_sending),
    # Also of the object alone: the wrapper of a file in WSGI takes over the method of the file.
    "close": ((), _closing),
    "aclose": ((), _closing),
}
