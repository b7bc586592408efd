"""Calls back at the lines of the code of one module, while it runs, and at no other code.

From Python 3.12 on, ``sys.monitoring`` reports the lines of a single code object; other code runs at full speed.
Before, there is only ``sys.settrace``, which slows down all calls of its thread: stop as soon as possible.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger

#: Whether a frame that starts is that of the module's code.
IsWanted = Callable[[types.FrameType], bool]
#: Called with the number of each line before it runs for the first time, and with None when the code has ended.
AtLine = Callable[["int | None"], object]


#: Whether lines are reported by a trace function, of which a thread can have one only.
FOLLOWING_TRACES = sys.version_info < (3, 12)


class LineEvents:
    """Reports the lines of the first frame that ``is_wanted`` returns True for.

    It is called with the frames of modules, and with those of functions that have the name ``function``.
    """

    def __init__(self, is_wanted: IsWanted, at_line: AtLine, function: str = "") -> None:
        self._is_wanted = is_wanted
        self._at_line = at_line
        self._names = ("<module>", function)

    def start(self, running: types.FrameType | None = None) -> bool:
        """Wait for the frame, or report the lines of one that runs already. Returns False if that is impossible."""
        raise NotImplementedError

    def stop(self) -> None:
        """Report no more lines."""
        raise NotImplementedError

    def _wants(self, frame: types.FrameType) -> bool:
        try:
            return self._is_wanted(frame)
        except Exception:
            self._failed()
            return False

    def _line(self, line: int | None) -> None:
        try:
            self._at_line(line)
            if line is None:
                self.stop()
        except Exception:
            self._failed()

    def _failed(self) -> None:
        logger.exception("the functions of the script could not be patched. The program is not affected.")
        self.stop()


class _TracedLines(LineEvents):
    _running: types.FrameType | None = None
    _stopped = False
    #: Whether the code ends with an exception, unless another line runs.
    _raised = False

    def start(self, running: types.FrameType | None = None) -> bool:
        if sys.gettrace() is not None:
            return False
        if running is not None:
            self._running = running
            running.f_trace = self._local
        sys.settrace(self._global)
        return True

    def stop(self) -> None:
        self._stopped = True
        if self._running is not None:
            self._running.f_trace = None
            self._running = None
        if sys.gettrace() == self._global:
            sys.settrace(None)

    def _global(self, frame: types.FrameType, _event: str, _value: Any) -> Any:
        if self._stopped:  # by another thread
            self.stop()
        elif self._running is None and frame.f_code.co_name in self._names and self._wants(frame):
            self._running = frame
            return self._local
        return None

    def _local(self, frame: types.FrameType, event: str, _value: Any) -> Any:
        if event == "line":
            self._line(frame.f_lineno)
        elif event == "return" and self._raised:
            self.stop()
        elif event == "return":
            self._line(None)
        self._raised = event == "exception"
        return None if self._stopped else self._local


if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring
    _events = _monitoring.events
    #: The numbers of tools that Python does not reserve for a kind of tool.
    _TOOLS = (4, 3)

    class _MonitoredLines(LineEvents):
        _tool: int | None = None
        _code: types.CodeType | None = None

        def start(self, running: types.FrameType | None = None) -> bool:
            self._tool = next((tool for tool in _TOOLS if _monitoring.get_tool(tool) is None), None)
            if self._tool is None:
                return False
            _monitoring.use_tool_id(self._tool, "opentelemetry.instrumentation.declarative")
            _monitoring.register_callback(self._tool, _events.PY_START, self._started)
            _monitoring.register_callback(self._tool, _events.LINE, self._line_reached)
            _monitoring.register_callback(self._tool, _events.PY_RETURN, self._returned)
            if running is not None:
                self._report_lines(running.f_code)
            else:
                _monitoring.set_events(self._tool, _events.PY_START)
            return True

        def stop(self) -> None:
            tool, self._tool = self._tool, None
            if tool is None:
                return
            _monitoring.set_events(tool, 0)
            if self._code is not None:
                _monitoring.set_local_events(tool, self._code, 0)
            for event in (_events.PY_START, _events.LINE, _events.PY_RETURN):
                _monitoring.register_callback(tool, event, None)
            _monitoring.free_tool_id(tool)

        def _report_lines(self, code: types.CodeType) -> None:
            assert self._tool is not None
            self._code = code
            _monitoring.set_local_events(self._tool, code, _events.LINE | _events.PY_RETURN)

        def _started(self, code: types.CodeType, _offset: int) -> Any:
            if code.co_name in self._names and self._tool is not None and self._wants(sys._getframe(1)):
                _monitoring.set_events(self._tool, 0)
                self._report_lines(code)
            return _monitoring.DISABLE

        def _line_reached(self, code: types.CodeType, line: int) -> Any:
            if code is self._code:
                self._line(line)
            return _monitoring.DISABLE

        def _returned(self, code: types.CodeType, _offset: int, _result: object) -> Any:
            if code is self._code:
                self._line(None)
            return _monitoring.DISABLE

    _Lines: type[LineEvents] = _MonitoredLines
else:
    _Lines = _TracedLines


def line_events(is_wanted: IsWanted, at_line: AtLine, function: str = "") -> LineEvents:
    """Return what reports the lines of a module's code in this version of Python."""
    return _Lines(is_wanted, at_line, function)
