"""A plugin of pytest: the tests of OpenTelemetry's instrumentation run with the spec in its place, or with nothing.

The variable ``LIBRARY`` names the library, ``MODE`` is ``theirs``, ``ours`` or ``nothing``, and ``OUTCOMES`` the file
that receives the outcome of each test.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.libraries.library import read_library, start_spec

_outcomes: dict[str, str] = {}
_active: list[Any] = []


def pytest_configure() -> None:
    mode, library = os.environ["MODE"], read_library(os.environ["LIBRARY"])
    if mode == "theirs":
        return
    instrumentor = library.instrumentor_class()

    def instrument(self: Any, **options: Any) -> None:
        if mode == "ours":
            _active.append(start_spec(library, **options))

    def uninstrument(self: Any, **options: Any) -> None:
        while _active:
            _active.pop().stop()

    instrumentor._instrument = instrument
    instrumentor._uninstrument = uninstrument


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome == "failed":
        _outcomes[report.nodeid] = report.outcome if _outcomes.get(report.nodeid) != "failed" else "failed"


def pytest_sessionfinish() -> None:
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(_outcomes), "utf-8")
