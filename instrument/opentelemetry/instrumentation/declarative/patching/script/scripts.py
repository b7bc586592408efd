"""Notifies specs of the functions and classes of the script, the module ``__main__``, as soon as it has defined them.

No import ends at that moment: the script uses them while its own code still runs. Therefore its lines are followed,
until the last definition that a spec waits for has been passed. Nothing is followed unless a spec names the script.
"""

from __future__ import annotations

import atexit
import functools
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.patching.imports.module_loads import contents
from opentelemetry.instrumentation.declarative.patching.imports.module_objects import add_module
from opentelemetry.instrumentation.declarative.patching.imports.script_names import (
    MAIN,
    SPAWNED_MAIN,
    expected_names,
    expects_notebook,
    expects_tracer,
    is_launcher,
    is_spawned,
    names_of_file,
    names_of_script,
)
from opentelemetry.instrumentation.declarative.patching.script.launched_scripts import LaunchedScripts
from opentelemetry.instrumentation.declarative.patching.script.line_events import (
    FOLLOWING_TRACES,
    LineEvents,
    line_events,
)
from opentelemetry.instrumentation.declarative.patching.script.notebooks import (
    Notebook,
    StartingNotebook,
    open_notebook,
)
from opentelemetry.instrumentation.declarative.patching.script.script_bindings import Bindings, read_bindings
from opentelemetry.instrumentation.declarative.patching.script.script_waits import ScriptWait, is_interactive
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

_waits: list[ScriptWait] = []
#: What follows the script at present.
_run: _ScriptRun | Notebook | StartingNotebook | None = None
_lock = threading.RLock()


class _ForkReset:
    def reset_after_fork(self) -> None:
        """The thread that held the lock does not exist in the child."""
        global _lock
        _lock = threading.RLock()


_fork_reset = _ForkReset()
reset_in_children(_fork_reset)


def when_script_defines(wait: ScriptWait) -> Callable[[], None]:
    """Notify a spec of the definitions of the script: at once of those that exist. Returns how to cancel."""
    global _run
    with _lock:
        _waits.append(wait)
        if _run is None:
            _run = _start(wait)
        run = _run
        _launched.observe()
    if run is not None:
        run.add(wait)
    else:
        _notify_of_finished(wait)

    def cancel() -> None:
        global _run
        with _lock:
            if wait in _waits:
                _waits.remove(wait)
            run = _run
            if run is not None:
                run.remove(wait)
            if not _waits:
                _run = None
                _launched.restore()
        if run is not None and not _waits:
            run.stop()

    return cancel


def _start(wait: ScriptWait) -> _ScriptRun | Notebook | StartingNotebook | None:
    """Follow the script if it runs now, or if it will run next and a spec may name it."""
    notebook = open_notebook() or (StartingNotebook() if _is_starting() and expects_notebook() else None)
    if notebook is not None:
        return notebook if wait.selects(MAIN) and notebook.start() else None
    frame = _running_frame()
    run = _ScriptRun()
    if frame is not None:
        return run if run.is_script(frame) and run.follow(frame) else None
    if _is_starting() and (is_spawned() or wait.selected(expected_names()) is not None):
        return run if run.follow() else None
    return None


def _follow_launched() -> _ScriptRun | None:
    """Follow the script that a program is about to run as ``__main__``, instead of that program."""
    global _run
    with _lock:
        launcher = _run
        if not _waits or isinstance(launcher, Notebook | StartingNotebook):
            return None
        run = _ScriptRun()
    if launcher is not None:
        launcher.stop()
    if not run.follow():
        return None
    with _lock:
        _run = run
    return run


def _launched_ended(run: _ScriptRun | None) -> None:
    if run is not None:
        run.stop()


@functools.lru_cache
def _launched_otherwise(script: str) -> None:
    names = [*names_of_file(script), script, f"{script}.{MAIN}"]
    with _lock:
        waits = [wait for wait in _waits if wait.selected(names) is not None]
    _warn(waits, "runpy does not run it as `__main__`", script)


_launched = LaunchedScripts(_follow_launched, _launched_ended, _launched_otherwise)


def _notify_of_finished(wait: ScriptWait) -> None:
    """Notify of the definitions of a script that has finished."""
    module = sys.modules.get(MAIN)
    is_running = _running_frame() is not None and not hasattr(sys, "ps1")
    if _is_starting() or is_running or not isinstance(module, types.ModuleType):
        return
    name = wait.selected(names_of_script(vars(module)))
    if name is not None:
        add_module(name, module)
        names = frozenset(vars(module))
        wait.defined(name, module, names if wait.names is None else wait.names)


def _is_starting() -> bool:
    """Whether Python is still starting up, so that the script has not started."""
    return any(frame.f_globals.get("__name__") == "site" for frame in _stack())


def _running_frame() -> types.FrameType | None:
    """The frame of the script's own code, if this thread runs it."""
    return next((frame for frame in _stack() if _module_of(frame) is not None), None)


def _stack() -> Iterator[types.FrameType]:
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _module_of(frame: types.FrameType) -> types.ModuleType | None:
    """The module of the script if a frame is that of its own code."""
    if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") in (MAIN, SPAWNED_MAIN):
        for name in (MAIN, SPAWNED_MAIN):
            module = sys.modules.get(name)
            if module is not None and contents(module) is frame.f_globals:
                return module
    return None


class _ScriptRun:
    """Follows the lines of the script."""

    def __init__(self) -> None:
        self._lines: LineEvents | None = None
        self._module: types.ModuleType | None = None
        self._names: list[str] = []
        self._bindings = Bindings()
        #: The line that runs now.
        self._line: int | None = 0
        #: For each wait, the name of the module that it selects, and the line of each name that it still waits for.
        self._pending: dict[ScriptWait, tuple[str, dict[str, int]]] = {}

    def follow(self, running: types.FrameType | None = None) -> bool:
        """Follow the script from its start, or from now on. Returns False if that is impossible or unnecessary."""
        if running is not None and self._at_line(running.f_lineno):
            return False
        # A process of multiprocessing calls this function when it has run the script, if it runs it at all.
        self._lines = line_events(self.is_script, self._at_line, "_bootstrap" if is_spawned() else "")
        if not (FOLLOWING_TRACES and running is None and expects_tracer()) and self._lines.start(running):
            # Python runs code until its very end, when nothing is left that could handle events.
            atexit.register(self._lines.stop)
            return True
        _warn(self._pending or _waits, "another tool traces its lines, as debuggers and coverage tools do")
        return False

    def stop(self) -> None:
        global _run
        if self._lines is not None:
            atexit.unregister(self._lines.stop)
            self._lines.stop()
        with _lock:
            if _run is self:
                _run = None

    def is_script(self, frame: types.FrameType) -> bool:
        """Whether a frame is that of the script, and a spec waits for it."""
        if frame.f_code.co_name != "<module>":
            if frame.f_globals.get("__name__") == "multiprocessing.process":
                self.stop()
            return False
        if frame.f_globals.get("__name__") != (SPAWNED_MAIN if is_spawned() else MAIN) or is_launcher(frame.f_globals):
            return False
        file = frame.f_code.co_filename
        if file.startswith("<") and frame.f_globals.get("__file__", file) != file:  # a command of a debugger
            return False
        module = _module_of(frame)
        self._names = names_of_script(frame.f_globals)
        waits = [wait for wait in _waits if wait.selected(self._names) is not None]
        if module is None:
            _warn(waits, "the program that runs it does not use a module for it")
        if module is None or not waits or is_interactive(frame, waits):
            self.stop()
            return False
        self._module = module
        name = getattr(frame.f_globals.get("__spec__"), "name", frame.f_globals["__name__"])
        self._bindings = read_bindings(frame.f_code, frame.f_globals.get("__loader__"), name)
        for wait in waits:
            self._add(wait)
        return True

    def add(self, wait: ScriptWait) -> None:
        """Notify a spec of the definitions that have been passed, and later of the others."""
        if self._module is not None and wait not in self._pending and self._add(wait):
            self._at_line(self._line)

    def remove(self, wait: ScriptWait) -> None:
        self._pending.pop(wait, None)

    def _add(self, wait: ScriptWait) -> bool:
        name = wait.selected(self._names)
        if name is None:
            return False
        names = self._bindings.definitions if wait.names is None else wait.names
        lines = self._bindings.lines
        with _lock:
            self._pending[wait] = name, {each: lines.get(each, self._bindings.last_definition) for each in names}
        return True

    def _at_line(self, line: int | None) -> bool:
        """Notify of the names that have their final values before a line, or of all when the script has ended."""
        assert self._module is not None
        self._line = line
        for wait, name, names in self._due(line):
            wait.defined(name, self._module, names)
        if self._pending and line is not None:
            return False
        with _lock:
            for wait in _waits:
                selected = wait.selected(self._names)
                if selected is not None:
                    add_module(selected, self._module)
        self.stop()
        return True

    def _is_bound(self, name: str) -> bool:
        """Whether a name is bound, but by no statement of the script itself: by an import with a star, for example."""
        return name not in self._bindings.lines and name in vars(self._module)

    def _due(self, line: int | None) -> list[tuple[ScriptWait, str, frozenset[str]]]:
        due = []
        with _lock:
            for wait, (name, pending) in list(self._pending.items()):
                names = frozenset(
                    each for each, last in pending.items() if line is None or last < line or self._is_bound(each)
                )
                for each in names:
                    del pending[each]
                if not pending:
                    del self._pending[wait]
                if names:
                    due.append((wait, name, names))
        return due


def _warn(waits: Iterable[ScriptWait], reason: str, script: str = "the script") -> None:
    message = "%s: functions of %s are not traced, because %s. Move them to a module that the script imports."
    for wait in waits:
        logger.warning(message, wait.place, script, reason)
