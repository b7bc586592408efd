"""Proxies of objects whose methods are hooked, for objects of classes that are not written in Python.

A proxy has the class, the attributes and the special methods of its object, and no others. Where the object gives
itself or another object that has a proxy, the proxy gives the proxy, and it passes on the objects of proxies that it
gets as arguments. It is a different object all the same: ``is`` and ``type()`` can distinguish it, and C code that
needs the object's own layout does not accept it.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.patching.lookup.targets import CallableProxy
from opentelemetry.instrumentation.declarative.runtime.following.special_methods import SPECIAL_METHODS, defined

#: Called with the method, the object, and the arguments of a call.
OnCall = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]

_OBJECT, _METHODS = "_instrument_object", "_instrument_methods"
#: The proxies by the id of their object, which lives as long as its proxy.
_proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
#: The class of the proxies of each class.
_classes: weakref.WeakKeyDictionary[type, type] = weakref.WeakKeyDictionary()


def object_proxy(target: Any, methods: Mapping[str, OnCall]) -> Any:
    """Return the proxy of an object, on which these methods are hooked, too. An object has one proxy."""
    proxy = target if isinstance_of_proxy(target) else _proxies.get(id(target))
    if proxy is None:
        proxy = object.__new__(_proxy_class(type(target)))
        object.__setattr__(proxy, _OBJECT, target)
        object.__setattr__(proxy, _METHODS, dict(methods))
        _proxies[id(target)] = proxy
    else:
        hooked = object.__getattribute__(proxy, _METHODS)
        for name, on_call in methods.items():
            hooked.setdefault(name, on_call)
    return proxy


def isinstance_of_proxy(value: Any) -> bool:
    """Whether a value is a proxy; `isinstance` says what its object is."""
    return _Proxy in type(value).__mro__


def object_of(value: Any) -> Any:
    """The object of a proxy, or the value itself if it is not one."""
    return object.__getattribute__(value, _OBJECT) if isinstance_of_proxy(value) else value


def _known(value: Any) -> Any:
    """The proxy of a value that has one, or the value itself."""
    return _proxies.get(id(value), value)


def _pass_on(method: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return method(*args, **kwargs)


class _Proxy:
    """The base of all proxies."""

    __slots__ = (_METHODS, _OBJECT, "__weakref__")

    def _instrument_original(self) -> Any:
        return object_of(self)

    def __getattr__(self, name: str) -> Any:
        target = object_of(self)
        value = getattr(target, name)
        on_call = object.__getattribute__(self, _METHODS).get(name)
        if callable(value) and (on_call is not None or getattr(value, "__self__", None) is target):
            return _method(value, target, on_call or _pass_on)
        return _known(value)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object_of(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object_of(self), name)

    def __dir__(self) -> list[str]:
        return dir(object_of(self))


def _method(value: Any, target: Any, on_call: OnCall) -> Any:
    def call(method: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args = tuple(map(object_of, args))
        kwargs = {name: object_of(each) for name, each in kwargs.items()}
        return _known(on_call(method, target, args, kwargs))

    return CallableProxy(value, call)


def _proxy_class(cls: type) -> type:
    made = _classes.get(cls)
    if made is None:
        namespace: dict[str, Any] = {
            "__slots__": (),
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
            "__class__": property(lambda self: object_of(self).__class__),
        }
        if getattr(cls, "__dictoffset__", 0):
            namespace["__dict__"] = property(lambda self: object_of(self).__dict__)
        for name in SPECIAL_METHODS:
            found = defined(cls, name)
            if found is not None:
                namespace[name] = None if found.value is None else _forwarding(name)
        made = _classes[cls] = type(cls.__name__, (_Proxy,), namespace)
    return made


def _forwarding(name: str) -> Callable[..., Any]:
    def forward(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        target = object_of(self)
        on_call = object.__getattribute__(self, _METHODS).get(name)
        args = tuple(map(object_of, args))
        if on_call is None:
            value = getattr(type(target), name)(target, *args, **kwargs)
        else:
            value = on_call(getattr(target, name), target, args, kwargs)
        return _entered(value) if name == "__aenter__" and inspect.isawaitable(value) else _known(value)

    forward.__name__ = forward.__qualname__ = name
    return forward


async def _entered(entering: Any) -> Any:
    return _known(await entering)
