"""Shows the messages of this package at the end of a run of pytest, which captures them.

It imports nothing of OpenTelemetry or of this package: pytest loads it wherever the package is installed.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest

_LOGGER = "opentelemetry.instrumentation.declarative"
#: The messages of a worker of pytest-xdist.
_OUTPUT = "instrument_messages"
#: How many messages are shown.
_MOST_SHOWN = 20


class SessionMessages(logging.Handler):
    """Collects the warnings and errors of a session, each text once. It is a plugin of pytest."""

    def __init__(self, config: Any) -> None:
        super().__init__(logging.WARNING)
        self._config = config
        self._texts: dict[str, None] = {}

    def start(self) -> None:
        """Start collecting."""
        logging.getLogger(_LOGGER).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Collect a message."""
        self._texts[record.getMessage()] = None

    def pytest_sessionfinish(self) -> None:
        """Send the messages of a worker to the process that started it."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = [*self._texts]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Receive the messages of a worker."""
        self._texts.update(dict.fromkeys(getattr(node, "workeroutput", {}).get(_OUTPUT, ())))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the messages."""
        if not self._texts:
            return
        terminalreporter.section("messages of instrument")
        for text in [*self._texts][:_MOST_SHOWN]:
            terminalreporter.write_line(text)
        if len(self._texts) > _MOST_SHOWN:
            terminalreporter.write_line(f"and {len(self._texts) - _MOST_SHOWN} more")

    def pytest_unconfigure(self) -> None:
        """Stop collecting."""
        logging.getLogger(_LOGGER).removeHandler(self)
