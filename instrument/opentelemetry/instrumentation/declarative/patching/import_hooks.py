"""Waiting for imports: the first one of a module, each one after it, and one that is already under way."""

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

from opentelemetry.instrumentation.declarative.runtime.forks import forget_in_children

#: What is done when a module has been imported, in the order in which it was asked for.
_waiting: dict[str, dict[object, Callable[[], None]]] = {}
#: What is done when any module has been imported whose name is one of those meant.
_watching: dict[object, tuple[Callable[[str], bool], Callable[[str], None]]] = {}
#: Modules whose code runs just now and of whose end we shall hear.
_running: set[str] = set()
_lock = threading.RLock()


class _InChildren:
    """What a forked process begins anew."""

    def forget(self) -> None:
        """Who held the lock, or was importing, is not there."""
        global _lock
        _lock = threading.RLock()
        _running.clear()


_in_children = _InChildren()
forget_in_children(_in_children)


def when_imported(module: str, act: Callable[[], None]) -> Callable[[], None]:
    """Act once the module has been imported and whenever it is loaded anew; now if it is there. Gives how to stop.

    A module of which only half is there, because its import is under way (further up, or in another thread), is waited
    for like one that is not there. ``act`` must not raise, and has to bear being called twice.
    """
    ticket = object()
    with _lock:
        _waiting.setdefault(module, {})[ticket] = act
        _stand_first()
        there = _is_there(module)
    if there:
        act()

    def stop() -> None:
        with _lock:
            acts = _waiting.get(module, {})
            acts.pop(ticket, None)
            if not acts:
                _waiting.pop(module, None)
            _step_aside()

    return stop


def when_any_imported(meant: Callable[[str], bool], act: Callable[[str], None]) -> Callable[[], None]:
    """The same for every module whose name is one of those meant; ``act`` is given the name.

    A lazy module that was there before is left asleep, and nothing is done when it wakes.
    """
    ticket = object()
    with _lock:
        _watching[ticket] = meant, act
        _stand_first()
        there = [name for name in imported(meant) if _is_there(name)]
    for name in there:
        act(name)

    def stop() -> None:
        with _lock:
            _watching.pop(ticket, None)
            _step_aside()

    return stop


def imported(meant: Callable[[str], bool]) -> list[str]:
    """The names of the modules that are meant and there. One that is asleep is none: a look at it would wake it."""
    found = [(name, module) for name, module in list(sys.modules.items()) if isinstance(name, str) and meant(name)]
    return [name for name, module in found if not is_asleep(module)]


def is_asleep(module: object) -> bool:
    """Whether a module has a way of its own to be looked at, as a lazy one has: it is left as it is."""
    return type(module).__getattribute__ is not types.ModuleType.__getattribute__


def _stand_first() -> None:
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def _step_aside() -> None:
    if not _waiting and not _watching and _finder in sys.meta_path:
        # Another list: a thread that is importing goes through the old one, and would miss one of its finders.
        sys.meta_path = [finder for finder in sys.meta_path if finder is not _finder]


def _is_there(module: str) -> bool:
    """Whether a module has been imported to its end."""
    return sys.modules.get(module) is not None and module not in _running and not _is_half_there(module)


def _is_awaited(module: str) -> bool:
    return module in _waiting or any(meant(module) for meant, _ in list(_watching.values()))


def _acts(module: str) -> dict[object, Callable[[], None]]:
    """What is to be done when a module has been imported."""
    watching = {ticket: functools.partial(act, module) for ticket, (meant, act) in _watching.items() if meant(module)}
    return {**_waiting.get(module, {}), **watching}


def contents(module: types.ModuleType) -> dict[str, Any]:
    """What a module holds; a lazy one, which any ordinary look would import, is left asleep."""
    found: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return found


def is_run_as_main(module: str) -> bool:
    """Whether `python -m` runs this module: then its code is that of `__main__`, and nobody imports the module."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return bool(spec.name == module)
    if sys.argv[:1] != ["-m"]:
        return False
    # Python is only starting. What it has been given after -m is then told by its own command line alone.
    given = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    return (module == given and not _is_package(given)) or module == f"{given}.__main__"


def _is_package(module: str) -> bool:
    path: Sequence[str] | None = None
    for name in itertools.accumulate(module.split("."), "{}.{}".format):
        spec = PathFinder.find_spec(name, path)
        path = spec.submodule_search_locations if spec else None
        if path is None:
            return False
    return True


def _is_half_there(module: str) -> bool:
    """Whether an import is under way of which nobody would tell us the end; from now on its spec does."""
    found = sys.modules[module]
    spec = contents(found).get("__spec__") if isinstance(found, types.ModuleType) else None
    if type(spec) is not ModuleSpec or not getattr(spec, "_initializing", False):
        return False
    _running.add(module)
    spec.__class__ = _Watched
    if not spec._initializing:  # type: ignore[attr-defined]  # it has ended in between, in another thread
        spec.__class__ = ModuleSpec
        _running.discard(module)
        return False
    return True


def _has_run(module: str) -> None:
    """The code of a module has run to its end: do what is waiting for that, and what is asked for meanwhile."""
    acted: set[object] = set()
    while True:
        with _lock:
            waiting = _acts(module) if sys.modules.get(module) is not None else {}
            ticket = next((each for each in waiting if each not in acted), None)
            if ticket is None:
                _running.discard(module)
                return
            act = waiting[ticket]
        acted.add(ticket)
        act()


class _Watched(ModuleSpec):
    """The spec of a module that is half there: Python writes on it when the import ends, for better or for worse."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            self.__class__ = ModuleSpec  # type: ignore[assignment]
            _has_run(self.name)


class _Loader:
    """A loader that looks like the one it stands before, and after which what is waiting is done."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._loader)

    def exec_module(self, module: types.ModuleType) -> None:
        # From here on the module and its spec tell the truth about where they come from.
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
        _has_run(name)


class _Finder:
    """First among the finders: has the others find a module that somebody waits for, and puts our loader before its."""

    def __init__(self) -> None:
        self._busy = threading.local()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        looking: set[str] = vars(self._busy).setdefault("names", set())
        if name in looking or not _is_awaited(name):  # a finder may ask all of them again, us too
            return None
        looking.add(name)
        try:
            spec = self._found(name, path, target)
        finally:
            looking.discard(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec

    def _found(self, name: str, path: Any, target: Any) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if finder is not self and find else None
            if spec is not None:
                return spec
        return None


_finder = _Finder()
