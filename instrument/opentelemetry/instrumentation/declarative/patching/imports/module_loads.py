"""Observes the load of one module, from the creation of the module until its code has completed or failed.

Python's import system sets an attribute of the spec when a load starts and when it ends; in between, the spec has a
class that notices this. A program that loads a module itself calls ``exec_module`` of the loader; until then, the
loader has an attribute of that name. Spec and loader remain the real ones, and are as before when the load has ended.
"""

from __future__ import annotations

import sys
import threading
import types
import weakref
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children


def contents(module: object) -> dict[str, Any]:
    """Return the namespace of a module; does not load a lazy one, as any other access would.

    ``sys.modules`` can hold any object, some of which only claim to be modules, as cffi's libraries do: an object that
    is not a module has no namespace.
    """
    if not issubclass(type(module), types.ModuleType):
        return {}
    return _attributes(module) or {}


def is_lazy(module: object) -> bool:
    """Whether a module customises attribute access, as one that loads lazily does. Such modules are left alone."""
    return type(module).__getattribute__ is not types.ModuleType.__getattribute__


def _attributes(instance: object) -> dict[str, Any] | None:
    """Return what an object itself holds, without any code of its class; None if it has no attributes."""
    try:
        found = object.__getattribute__(instance, "__dict__")
    except Exception:
        return None
    return found if isinstance(found, dict) else None


class LoadObserver:
    """Observes loads.

    ``started`` receives the name of a module whose code starts to run. ``ended`` receives the name, the module whose
    code has run, None if it has failed, and a function to call: Python regards the load as in progress until then. Both
    must not raise.
    """

    def __init__(
        self, started: Callable[[str], None], ended: Callable[[str, object | None, Callable[[], None]], None]
    ) -> None:
        self._started = started
        self._ended = ended
        #: The created modules and those whose code is running, by the id of their specs.
        self._created: dict[int, weakref.ref[types.ModuleType]] = {}
        self._running: dict[int, types.ModuleType | None] = {}
        #: The class of specs whose load is observed, by their own class.
        self._classes: dict[type, type] = {}
        self._lock = threading.RLock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Replace the lock in a child process: the thread that held it does not exist there."""
        self._lock = threading.RLock()

    def observe(self, spec: Any, module: object) -> None:
        """Observe the load of a module that has just been created from a spec."""
        if self._observe_spec(spec) and isinstance(module, types.ModuleType):
            self._created[id(spec)] = weakref.ref(module, self._forget)
        self._observe_loader(spec)

    def observe_lazy(self, module: object) -> bool:
        """Observe a module of ``importlib.util.LazyLoader``. Returns whether it is one whose load has not started."""
        spec = contents(module).get("__spec__")
        state = (_attributes(spec) or {}).get("loader_state")
        if not is_lazy(module) or not isinstance(state, dict) or "__class__" not in state or state.get("is_loading"):
            return False
        self._observe_loader(spec)
        return True

    def observe_running(self, module: object) -> bool:
        """Observe a module whose import is in progress. Returns whether it is."""
        spec = contents(module).get("__spec__")
        if not isinstance(spec, ModuleSpec) or not getattr(spec, "_initializing", False):
            return False
        if not self._observe_spec(spec):
            return False
        if spec._initializing:  # type: ignore[attr-defined]
            return True
        self._release_spec(spec)  # another thread has completed it in the meantime
        return False

    def _forget(self, module: weakref.ref[types.ModuleType]) -> None:
        for key in [key for key, each in list(self._created.items()) if each is module]:
            self._created.pop(key, None)

    # ── Loads by the import system: the class of the spec ──

    def _observe_spec(self, spec: Any) -> bool:
        with self._lock:
            kind = type(spec)
            if kind in self._classes.values():
                return True
            try:
                spec.__class__ = self._classes.get(kind) or self._observed_class(kind)
            except Exception:  # it is not a spec of Python's, or its class cannot be extended
                return False
            return True

    def _release_spec(self, spec: Any) -> None:
        with self._lock:
            if type(spec) in self._classes.values():
                spec.__class__ = type(spec).__base__

    def _observed_class(self, kind: type) -> type:
        if not issubclass(kind, ModuleSpec):
            raise TypeError(kind)

        def set_attribute(spec: Any, name: str, value: Any) -> None:
            def set_it() -> None:
                kind.__setattr__(spec, name, value)

            if name != "_initializing":
                set_it()
            elif value:
                self._release_loader(spec)
                created = self._created.pop(id(spec), None)
                self._running[id(spec)] = None if created is None else created()
                self._started(spec.name)
                set_it()
            else:
                self._release_spec(spec)
                self._end(spec.name, self._executed(spec), set_it)

        names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        make_class: Any = type(kind)
        observed: type = make_class(kind.__name__, (kind,), {**names, "__slots__": (), "__setattr__": set_attribute})
        self._classes[kind] = observed
        return observed

    def _executed(self, spec: Any) -> object | None:
        """Return the module of a load by the import system, which it may have replaced; None if the load has failed."""
        module, current = self._running.pop(id(spec), None), sys.modules.get(spec.name)
        return current if current is None or module is None else module

    def _end(self, name: str, module: object | None, finish: Callable[[], None]) -> None:
        self._ended(name, None if self.observe_lazy(module) else module, finish)

    # ── Loads by the program: the method of the loader ──

    def _observe_loader(self, spec: Any) -> None:
        loader = getattr(spec, "loader", None)
        held = _attributes(loader)
        if held is None or isinstance(loader, type):
            return
        with self._lock:
            execution = held.get("exec_module")
            if type(execution) is not _Execution:
                try:
                    execution = _Execution(self, loader.exec_module, held)  # type: ignore[union-attr]
                except Exception:  # it has no such method
                    return
                held["exec_module"] = execution
            execution.awaited[id(spec)] = spec

    def _release_loader(self, spec: Any) -> None:
        execution = (_attributes(spec.loader) or {}).get("exec_module")
        if type(execution) is _Execution:
            self.stop_awaiting(execution, spec)

    def stop_awaiting(self, execution: _Execution, spec: Any) -> bool:
        """Give the loader its own method back if it awaits no other module. Returns whether it awaited this one."""
        with self._lock:
            awaited = execution.awaited.pop(id(spec), None) is not None
            if awaited and not execution.awaited:
                execution.remove()
            return awaited

    def execute(self, execution: _Execution, module: types.ModuleType) -> None:
        """Run the code of a module for the program, which loads it itself."""
        spec: Any = contents(module).get("__spec__")
        if not self.stop_awaiting(execution, spec):
            execution.original(module)
            return
        self._release_spec(spec)
        self._created.pop(id(spec), None)
        self._started(spec.name)
        try:
            execution.original(module)
        except BaseException:
            self._ended(spec.name, None, _nothing)
            raise
        self._end(spec.name, module, _nothing)


class _Execution:
    """Stands for ``exec_module`` of a loader until the modules are executed that have been created with the loader."""

    def __init__(self, observer: LoadObserver, original: Callable[[types.ModuleType], object], held: dict[str, Any]):
        self._observer = observer
        self.original = original
        self._held = held
        self._own = {"exec_module": held["exec_module"]} if "exec_module" in held else {}
        #: The specs of the modules, by their id.
        self.awaited: dict[int, Any] = {}

    def __call__(self, module: types.ModuleType) -> None:
        self._observer.execute(self, module)

    def remove(self) -> None:
        if self._held.get("exec_module") is self:
            del self._held["exec_module"]
            self._held.update(self._own)


def _nothing() -> None:
    pass
