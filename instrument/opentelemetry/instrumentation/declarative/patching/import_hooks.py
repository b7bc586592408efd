"""Callbacks on imports: the first import of a module, each reload, and an import that is already in progress."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
import threading
import types
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

#: Callbacks by the name of the module they wait for, in the order of registration.
_callbacks: dict[str, dict[object, Callable[[], None]]] = {}
#: Callbacks for every module whose name a filter selects: the filter and the callback.
_filtered_callbacks: dict[object, tuple[Callable[[str], bool], Callable[[str], None]]] = {}
#: Modules whose code is running now and whose end we will be notified of.
_running: set[str] = set()
_lock = threading.RLock()


class _ForkReset:
    """Resets the state of this module in a forked child process."""

    def reset_after_fork(self) -> None:
        """The thread that held the lock or was importing does not exist in the child."""
        global _lock
        _lock = threading.RLock()
        _running.clear()


_fork_reset = _ForkReset()
reset_in_children(_fork_reset)


def when_imported(module: str, callback: Callable[[], None]) -> Callable[[], None]:
    """Call back once the module is imported and after each reload; at once if it is imported. Returns how to cancel.

    A module whose import is in progress, further up the stack or in another thread, counts as not yet imported.
    ``callback`` must not raise, and must tolerate being called twice.
    """
    key = object()
    with _lock:
        _callbacks.setdefault(module, {})[key] = callback
        _install_finder()
        loaded = _is_loaded(module)
    if loaded:
        callback()

    def cancel() -> None:
        with _lock:
            registered = _callbacks.get(module, {})
            registered.pop(key, None)
            if not registered:
                _callbacks.pop(module, None)
            _remove_unused_finder()

    return cancel


def when_any_imported(selects: Callable[[str], bool], callback: Callable[[str], None]) -> Callable[[], None]:
    """Do the same for every module whose name is selected; ``callback`` receives the name.

    A lazy module that exists already is not loaded, and nothing happens when it is.
    """
    key = object()
    with _lock:
        _filtered_callbacks[key] = selects, callback
        _install_finder()
        loaded = [name for name in loaded_modules(selects) if _is_loaded(name)]
    for name in loaded:
        callback(name)

    def cancel() -> None:
        with _lock:
            _filtered_callbacks.pop(key, None)
            _remove_unused_finder()

    return cancel


def loaded_modules(selects: Callable[[str], bool]) -> list[str]:
    """Return the names of the imported modules that are selected, without lazy ones: to inspect one would load it."""
    found = [(name, module) for name, module in list(sys.modules.items()) if isinstance(name, str) and selects(name)]
    return [name for name, module in found if not is_lazy(module)]


def is_lazy(module: object) -> bool:
    """Whether a module customises attribute access, as one that loads lazily does. Such modules are left alone."""
    return type(module).__getattribute__ is not types.ModuleType.__getattribute__


def _install_finder() -> None:
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def _remove_unused_finder() -> None:
    if not _callbacks and not _filtered_callbacks and _finder in sys.meta_path:
        # Replace the list: a thread that is importing iterates over the old one and would skip one of its finders.
        sys.meta_path = [finder for finder in sys.meta_path if finder is not _finder]


def _is_loaded(module: str) -> bool:
    """Whether the import of a module has completed."""
    return sys.modules.get(module) is not None and module not in _running and not _is_partially_imported(module)


def _is_awaited(module: str) -> bool:
    return module in _callbacks or any(selects(module) for selects, _ in list(_filtered_callbacks.values()))


def _callbacks_of(module: str) -> dict[object, Callable[[], None]]:
    filtered = {
        key: functools.partial(callback, module)
        for key, (selects, callback) in _filtered_callbacks.items()
        if selects(module)
    }
    return {**_callbacks.get(module, {}), **filtered}


def contents(module: object) -> dict[str, Any]:
    """Return the namespace of a module; does not load a lazy one, as any other access would.

    ``sys.modules`` can hold any object, some of which only claim to be modules, as cffi's libraries do: an object that
    is not a module has no namespace.
    """
    if not issubclass(type(module), types.ModuleType):
        return {}
    try:
        found = object.__getattribute__(module, "__dict__")
    except Exception:
        return {}
    return found if isinstance(found, dict) else {}


def is_run_as_main(module: str) -> bool:
    """Whether `python -m` runs this module: its code is then that of `__main__`, and the module is not imported."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return bool(spec.name == module)
    if sys.argv[:1] != ["-m"]:
        return False
    # Python is still starting up: only its command line contains the argument of -m.
    argument = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    return (module == argument and not _is_package(argument)) or module == f"{argument}.__main__"


def _is_package(module: str) -> bool:
    path: Sequence[str] | None = None
    for name in itertools.accumulate(module.split("."), "{}.{}".format):
        spec = PathFinder.find_spec(name, path)
        path = spec.submodule_search_locations if spec else None
        if path is None:
            return False
    return True


def _is_partially_imported(module: str) -> bool:
    """Whether an import is in progress that did not start with our loader; from now on its spec notifies us."""
    found = sys.modules[module]
    spec = contents(found).get("__spec__")
    if type(spec) is not ModuleSpec or not getattr(spec, "_initializing", False):
        return False
    _running.add(module)
    spec.__class__ = _NotifyingSpec
    if not spec._initializing:  # type: ignore[attr-defined]  # another thread has completed it in the meantime
        spec.__class__ = ModuleSpec
        _running.discard(module)
        return False
    return True


def _module_executed(module: str) -> None:
    """Run the callbacks for a module whose code has completed, including those registered while they run."""
    called: set[object] = set()
    while True:
        with _lock:
            waiting = _callbacks_of(module) if sys.modules.get(module) is not None else {}
            key = next((each for each in waiting if each not in called), None)
            if key is None:
                _running.discard(module)
                return
            callback = waiting[key]
        called.add(key)
        callback()


class _NotifyingSpec(ModuleSpec):
    """The spec of a partially imported module: Python sets an attribute of it when the import ends or fails."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            self.__class__ = ModuleSpec  # type: ignore[assignment]
            _module_executed(self.name)


class _Loader:
    """Delegates to another loader, looks like it, and runs the callbacks once the module is executed."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._loader)

    def exec_module(self, module: types.ModuleType) -> None:
        # From here on the module and its spec name the original loader.
        name = module.__spec__.name if module.__spec__ else module.__name__
        for holder, attribute in ((module, "__loader__"), (module.__spec__, "loader")):
            if getattr(holder, attribute, None) is self:
                with contextlib.suppress(AttributeError):
                    setattr(holder, attribute, self._loader)
        with _lock:
            _running.add(name)
        try:
            self._loader.exec_module(module)
        except BaseException:
            with _lock:
                _running.discard(name)
            raise
        _module_executed(name)


class _Finder:
    """The first finder on `sys.meta_path`: lets the others find awaited modules, and wraps their loaders."""

    def __init__(self) -> None:
        self._busy = threading.local()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        searching: set[str] = vars(self._busy).setdefault("names", set())
        if name in searching or not _is_awaited(name):  # another finder may query all finders, including this one
            return None
        searching.add(name)
        try:
            spec = self._find_with_others(name, path, target)
        finally:
            searching.discard(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec

    def _find_with_others(self, name: str, path: Any, target: Any) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if finder is not self and find else None
            if spec is not None:
                return spec
        return None


_finder = _Finder()
