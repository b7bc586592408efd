"""The subclasses of a class: those that exist, and a notification of each that is created later.

Python calls ``__init_subclass__`` of a base class for each new subclass. The method of the class gets our code, or the
class gets one that only calls that of the classes behind it.
"""

from __future__ import annotations

import functools
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer, copy_function
from opentelemetry.instrumentation.declarative.wrappers.compilation import CodeLabels, compile_template
from opentelemetry.instrumentation.declarative.wrappers.signatures import read_signature

_NAME = "__init_subclass__"
_Callback = Callable[[type], None]


def subclasses_of(owner: type) -> Iterator[type]:
    """Every direct and indirect subclass, each once."""
    seen: set[type] = set()
    waiting: list[type] = type.__subclasses__(owner)
    while waiting:
        subclass = waiting.pop(0)
        if subclass not in seen:
            seen.add(subclass)
            yield subclass
            waiting += type.__subclasses__(subclass)


def when_subclassed(base: type, callback: _Callback) -> Callable[[], None]:
    """Call back with each subclass that is created from now on. Returns how to cancel.

    Not with those whose ``__init_subclass__`` does not call that of the class, and not if the class cannot be changed.
    ``callback`` must not raise.
    """
    with _observers.lock:
        observer = _observers.of.get(base)
        if observer is None:
            observer = _observers.of[base] = _Observer(base)
        key = object()
        observer.callbacks[key] = callback

    def cancel() -> None:
        with _observers.lock:
            observer.callbacks.pop(key, None)
            if not observer.callbacks and _observers.of.get(base) is observer:
                del _observers.of[base]
                observer.stop(base)

    return cancel


class _Observer:
    """Calls back for the new subclasses of one class."""

    def __init__(self, base: type) -> None:
        self.callbacks: dict[object, _Callback] = {}
        self._layer: CodeLayer | None = None
        self._own: Any = None
        held = vars(base).get(_NAME)
        function = held.__func__ if type(held) is classmethod else None
        if type(function) is types.FunctionType:
            self._layer = CodeLayer(function, functools.partial(_notifying_code, self._created))
        elif held is None:
            self._own = _notifying_method(base, self._created)
            try:
                type.__setattr__(base, _NAME, self._own)
            except TypeError:  # a class in C
                self._own = None

    def stop(self, base: type) -> None:
        if self._layer is not None:
            self._layer.remove()
        elif self._own is not None and vars(base).get(_NAME) is self._own:
            type.__delattr__(base, _NAME)

    def _created(self, subclass: type) -> None:
        for callback in list(self.callbacks.values()):
            try:
                callback(subclass)
            except Exception:  # this runs inside a class statement of the program
                logger.exception("%r could not be hooked. The program is not affected.", subclass)


class _Observers:
    """The observer of each class of which subclasses are observed."""

    def __init__(self) -> None:
        self.of: weakref.WeakKeyDictionary[type, _Observer] = weakref.WeakKeyDictionary()
        self.lock = threading.RLock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self.lock = threading.RLock()


_observers = _Observers()


def _notifying_code(notify: _Callback, function: types.FunctionType, original: types.FunctionType) -> types.CodeType:
    signature = read_signature(original)
    first = signature.own[0] if signature.own else "None"
    if signature.header.startswith("*"):
        first = f"{first}[0]"
    body = f"    _result = _original({signature.passed_on})\n    _notify({first})\n    return _result\n"
    objects = {"_original": original, "_notify": notify}
    code = function.__code__
    template = compile_template(f"def {{}}({signature.header}):", body, objects, len(code.co_freevars))
    return template.bind(objects, CodeLabels.of(code), code)


def _notifying_method(base: type, notify: _Callback) -> Any:
    def __init_subclass__(cls: Any, /, **kwargs: Any) -> None:
        super(base, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]
        notify(cls)

    __init_subclass__.__module__ = base.__module__
    __init_subclass__.__qualname__ = f"{base.__qualname__}.{_NAME}"
    return classmethod(__init_subclass__)


_NOTIFYING_CODE = _notifying_method(object, lambda _: None).__func__.__code__


def without_notification(function: types.FunctionType) -> types.FunctionType:
    """Return a function that can be pickled by value: our own method without what it calls."""
    if function.__code__ is not _NOTIFYING_CODE:
        return function
    cells = {
        name: types.CellType(id) if name == "notify" else cell
        for name, cell in zip(_NOTIFYING_CODE.co_freevars, function.__closure__ or (), strict=True)
    }
    return copy_function(function, tuple(cells.values()))
