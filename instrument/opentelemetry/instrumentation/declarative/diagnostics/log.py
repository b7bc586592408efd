"""The logger of this package. Its messages reach the user whatever has been done to logging.

They go through ``logging``, whose levels, filters and handlers belong to the program. Python writes the warnings of
a program that configures no logging to standard error, but no longer does so once there is any handler, and
OpenTelemetry's logging instrumentation adds one. What no other handler gets is written to standard error here.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any


class _SafeLogger(logging.LoggerAdapter):  # type: ignore[type-arg]
    """A logger that never raises: an exception of a filter or handler would reach an import or a call of the host."""

    #: Called first, with the message, its arguments and whether there is a traceback. If it returns True, nothing is
    #: logged. For tests of rules.
    listener: Callable[[str, tuple[Any, ...], bool], bool] | None = None

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        try:
            with_traceback = bool(kwargs.get("exc_info"))
            if self.listener is not None and self.listener(str(msg), args, with_traceback):
                return
            super().log(level, msg, *args, **kwargs)
            if level >= logging.WARNING and _is_unseen(self.logger, level):
                text = str(msg) % args if args else str(msg)
                sys.stderr.write(f"{text}\n{traceback.format_exc() if with_traceback else ''}")
        except Exception:
            return


def _is_unseen(logger: logging.Logger, level: int) -> bool:
    """Whether no handler that shows a message of this level gets it, and Python does not write it either."""
    if logger.disabled:  # as dictConfig does by default to every logger that it does not name
        return True
    if not logger.isEnabledFor(level):
        return False
    is_handled = False
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            if not _shows_nothing(handler, is_root=current.parent is None):
                return False
            is_handled = True
        current = current.parent if current.propagate else None
    return is_handled


def _shows_nothing(handler: logging.Handler, *, is_root: bool) -> bool:
    """A ``NullHandler`` of a library's logger is a wish for silence; that of the root logger silences Python alone."""
    if type(handler) is logging.NullHandler:
        return is_root
    return type(handler).__module__.startswith("opentelemetry.")


logger = _SafeLogger(logging.getLogger("opentelemetry.instrumentation.declarative"), {})
