"""Callbacks on imports: the first import of a module, each reload, and an import that is already in progress."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.patching.imports.import_functions import ImportFunctions
from opentelemetry.instrumentation.declarative.patching.imports.module_loads import LoadObserver
from opentelemetry.instrumentation.declarative.patching.imports.module_loads import contents as contents
from opentelemetry.instrumentation.declarative.patching.imports.module_loads import is_lazy as is_lazy
from opentelemetry.instrumentation.declarative.patching.imports.module_objects import add_module, modules_named
from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN, SPAWNED_MAIN
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
        _functions.observe()
        loaded = _is_loaded(module)
    if loaded:
        callback()

    def cancel() -> None:
        with _lock:
            registered = _callbacks.get(module, {})
            registered.pop(key, None)
            if not registered:
                _callbacks.pop(module, None)
            _stop_observing_if_unused()

    return cancel


def when_any_imported(selects: Callable[[str], bool], callback: Callable[[str], None]) -> Callable[[], None]:
    """Do the same for every module whose name is selected; ``callback`` receives the name."""
    key = object()
    with _lock:
        _filtered_callbacks[key] = selects, callback
        _functions.observe()
        imported = [name for name in list(sys.modules) if _is_selected(name, selects)]
        loaded = [name for name in imported if _is_loaded(name) and not is_lazy(sys.modules.get(name))]
    for name in loaded:
        callback(name)

    def cancel() -> None:
        with _lock:
            _filtered_callbacks.pop(key, None)
            _stop_observing_if_unused()

    return cancel


def loaded_modules(selects: Callable[[str], bool]) -> list[str]:
    """Return the names of the imported modules that are selected.

    Lazy ones are left out, because to inspect one would load it, and so is the script, which is not imported.
    """
    found = [(name, module) for name, module in list(sys.modules.items()) if _is_selected(name, selects)]
    return [name for name, module in found if not is_lazy(module)]


def _is_selected(name: object, selects: Callable[[str], bool]) -> bool:
    return isinstance(name, str) and name not in (MAIN, SPAWNED_MAIN) and selects(name)


def _stop_observing_if_unused() -> None:
    if not _callbacks and not _filtered_callbacks:
        _functions.restore()


def _is_loaded(module: str) -> bool:
    """Whether the load of a module has completed. If it has not, its end is observed."""
    found = sys.modules.get(module)
    if found is None or module in _running or _loads.observe_lazy(found):
        return False
    if _loads.observe_running(found):
        _running.add(module)
        return False
    return True


def _is_awaited(module: str) -> bool:
    return module in _callbacks or any(selects(module) for selects, _ in list(_filtered_callbacks.values()))


def _callbacks_of(module: str) -> dict[object, Callable[[], None]]:
    filtered = {
        key: functools.partial(callback, module)
        for key, (selects, callback) in _filtered_callbacks.items()
        if selects(module)
    }
    return {**_callbacks.get(module, {}), **filtered}


def _module_created(spec: Any, module: object) -> None:
    """Observe the load of a module that has just been created, if it is awaited."""
    name = getattr(spec, "name", None)
    if isinstance(name, str) and _is_awaited(name):
        _loads.observe(spec, module)


def _load_started(module: str) -> None:
    with _lock:
        _running.add(module)


def _load_ended(name: str, module: object | None, finish: Callable[[], None] = lambda: None) -> None:
    """Run the callbacks for a module that is loaded, before and after other threads may use it."""
    called: set[object] = set()
    try:
        if module is not None:
            add_module(name, module)
            _run_callbacks(name, called)
    finally:
        finish()
        if module is None:
            with _lock:
                _running.discard(name)
    if module is not None:  # some may have been registered in the meantime
        _run_callbacks(name, called, last=True)


def _run_callbacks(module: str, called: set[object], *, last: bool = False) -> None:
    """Run the callbacks for a module that have not been called, including those registered while they run."""
    while True:
        with _lock:
            waiting = _callbacks_of(module) if modules_named(module) else {}
            key = next((each for each in waiting if each not in called), None)
            if key is None:
                if last:
                    _running.discard(module)
                return
            callback = waiting[key]
        called.add(key)
        callback()


def _execution_started(spec: Any) -> None:
    """Note that a module is reloaded, or loaded by a loader that creates the module itself."""
    if _is_awaited(spec.name):
        _load_started(spec.name)


def _execution_ended(spec: Any, succeeded: bool) -> None:
    _load_ended(spec.name, sys.modules.get(spec.name) if succeeded and _is_awaited(spec.name) else None)


_loads = LoadObserver(_load_started, _load_ended)
_functions = ImportFunctions(_module_created, _execution_started, _execution_ended)
