"""Completes the telemetry of a process before a signal ends it.

A process that is ended by a signal runs no Python code: its open spans, and those that wait for their export, are lost.
This module therefore handles the signals SIGTERM, SIGHUP and SIGINT **where their default action would end the
process**, completes the telemetry within a limited time, and then lets the default action end the process.

The program does not notice. A handler of its own replaces ours, and is in effect alone. Where it would find the default
action, it finds it: ``signal.getsignal`` and ``signal.signal`` return ``SIG_DFL`` in place of our handler. When it
restores the default action, ours is restored, because servers do so just before they end themselves by the signal they
have handled. For both, the code of the two functions is replaced in place. docs/adr describes the alternatives.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer
from opentelemetry.instrumentation.declarative.runtime.lifecycle.abrupt_exits import prepare_abrupt_exit

#: Seconds that the telemetry may take.
TIMEOUT = 5.0
#: Seconds that a message may take which says that it took longer.
MESSAGE_TIMEOUT = 0.5

#: Signals whose default action ends the process. Python handles SIGINT itself, so it ends a process only if the program
#: asks for its default action.
_NAMES = ("SIGTERM", "SIGHUP", "SIGINT")

#: Seconds after which a signal is raised again that has interrupted the telemetry.
_POSTPONED = 0.01

#: Modules that hold locks without which telemetry cannot be completed.
_TELEMETRY = (
    "opentelemetry.sdk.",
    "opentelemetry.exporter.",
    "opentelemetry.instrumentation.declarative.exporters.",
    "opentelemetry.instrumentation.declarative.runtime.",
    "logging",
)

_users = 0


def start_handling_fatal_signals() -> None:
    """Complete the telemetry before a signal ends the process. Calls are counted."""
    global _users
    _users += 1
    if _users == 1 and os.name == "posix":
        _handling.start()


def stop_handling_fatal_signals() -> None:
    """Undo one call of ``start_handling_fatal_signals``."""
    global _users
    _users -= 1
    if _users == 0 and os.name == "posix":
        _handling.stop()


class _Handling:
    """The handler of fatal signals, and the replaced code of ``signal.signal`` and ``signal.getsignal``."""

    def __init__(self) -> None:
        self._signals = [signal.Signals[name] for name in _NAMES if hasattr(signal, name)]
        #: Our code in the functions of the module, by their names.
        self._layers: dict[str, CodeLayer] = {}
        self._active = False
        #: The process that is ending.
        self._ending_pid = 0
        #: A process, and until when the signal may be postponed in it.
        self._deadline = (0, 0.0)

    def start(self) -> None:
        self._active = True
        self._replace_code("signal", _template_of_signal, self._signal)
        self._replace_code("getsignal", _template_of_getsignal, self._getsignal)
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread can set handlers; it will if it restores the default action
        for number in self._signals:
            if self._call("getsignal", number) is signal.SIG_DFL:
                with contextlib.suppress(ValueError):  # this is a subinterpreter, which cannot set handlers
                    self._call("signal", number, self.end_process)

    def stop(self) -> None:
        self._active = False
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread can restore the default action; until then the handler does what it does
        for number in self._signals:
            if self._call("getsignal", number) == self.end_process:
                self._call("signal", number, signal.SIG_DFL)
        for name, layer in list(self._layers.items()):
            if layer.remove():  # otherwise another tool has replaced it since: ours passes calls through
                del self._layers[name]

    # ── The functions of the module ``signal`` ──

    def _replace_code(self, name: str, template: Any, replacement: Any) -> None:
        """Replace the code of a function of the module by that of a template with the same parameters."""
        function = getattr(signal, name)
        if name in self._layers or not isinstance(function, FunctionType):
            return
        if _parameters(function.__code__) != _parameters(template.__code__) or function.__defaults__:
            return
        constants = tuple(replacement if each == _PLACEHOLDER else each for each in template.__code__.co_consts)
        code = template.__code__.replace(co_consts=constants)
        self._layers[name] = CodeLayer(function, lambda _function, _original: code)

    def _call(self, name: str, *args: Any) -> Any:
        """Call the original function of the module."""
        layer = self._layers.get(name)
        return (getattr(signal, name) if layer is None else layer.original)(*args)

    def _signal(self, number: Any, handler: Any) -> Any:
        """``signal.signal``: the program sets a handler."""
        if self._active and _is_default(handler) and self._is_fatal(number):
            handler = self.end_process
        return self._as_seen(self._call("signal", number, handler))

    def _getsignal(self, number: Any) -> Any:
        """``signal.getsignal``: the program asks for a handler."""
        return self._as_seen(self._call("getsignal", number))

    def _as_seen(self, handler: Any) -> Any:
        """What the program sees of a handler: the default action in place of ours."""
        return signal.SIG_DFL if type(handler) is MethodType and handler == self.end_process else handler

    def _is_fatal(self, number: Any) -> bool:
        return type(number) in (int, signal.Signals) and number in self._signals

    # ── The signal ──

    def end_process(self, number: int, frame: FrameType | None) -> None:
        """The handler. It runs in the main thread, between any two instructions of the program."""
        pid = os.getpid()
        if pid == 1 or self._ending_pid == pid:
            return  # the kernel ignores it too for the first process of a container; or the process is ending
        if self._active and self._postpone(pid, number, frame):
            return
        self._ending_pid = pid
        try:
            if self._active:
                self._complete()
        except BaseException:  # the handler of another signal has raised, for example Ctrl-C: stop waiting
            pass
        for _ in range(3):
            # Setting a handler first calls those of signals that have arrived, which may raise.
            with contextlib.suppress(BaseException):
                self._call("signal", number, signal.SIG_DFL)
        os.kill(pid, number)

    def _postpone(self, pid: int, number: int, frame: FrameType | None) -> bool:
        """Raise the signal again a little later if it has interrupted code that may hold locks of the telemetry."""
        if self._deadline[0] != pid:
            self._deadline = (pid, time.monotonic() + TIMEOUT)
        if time.monotonic() > self._deadline[1] or not _is_telemetry(frame):
            return False

        def raise_again() -> None:
            time.sleep(_POSTPONED)
            os.kill(pid, number)

        try:
            start_new_thread(raise_again, ())
        except RuntimeError:  # the interpreter is shutting down
            return False
        return True

    def _complete(self) -> None:
        """Complete the telemetry in another thread, with a timeout: this one may hold any lock of the program.

        The program does not continue meanwhile, as it would not without this package. ``threading.Thread`` is not used:
        its start takes locks that the interrupted code may hold.
        """
        if not _run_in_thread(functools.partial(prepare_abrupt_exit, last=True), TIMEOUT):
            message = "the telemetry was not complete after %g seconds: the signal ends the process."
            _run_in_thread(functools.partial(logger.warning, message, TIMEOUT), MESSAGE_TIMEOUT)


def _is_telemetry(frame: FrameType | None) -> bool:
    """Whether code of the telemetry is on the stack."""
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if type(name) is str and name.startswith(_TELEMETRY):
            return True
        frame = frame.f_back
    return False


def _run_in_thread(function: Callable[[], None], seconds: float) -> bool:
    """Call a function in another thread. Returns whether it has ended within a time."""
    done = allocate_lock()
    done.acquire()

    def run() -> None:
        try:
            function()
        finally:
            done.release()

    start_new_thread(run, ())
    return done.acquire(timeout=seconds)


_PLACEHOLDER = "the replacement"


# The codes of the replaced functions, which call the constant.


def _template_of_signal(signalnum: Any, handler: Any) -> Any:
    replacement: Any = "the replacement"
    return replacement(signalnum, handler)


def _template_of_getsignal(signalnum: Any) -> Any:
    replacement: Any = "the replacement"
    return replacement(signalnum)


def _parameters(code: CodeType) -> tuple[Any, ...]:
    """The parameters of a function, and its free variables: a template must have the same."""
    variadic = code.co_flags & (0x04 | 0x08)  # inspect.CO_VARARGS, inspect.CO_VARKEYWORDS
    return code.co_varnames[: code.co_argcount], code.co_kwonlyargcount, variadic, code.co_freevars


def _is_default(handler: Any) -> bool:
    """Whether this is ``SIG_DFL``. Objects of the program are not compared: their ``__eq__`` may do anything."""
    return type(handler) in (int, signal.Handlers) and handler == signal.SIG_DFL


_handling = _Handling()
