"""A plugin of pytest: the tests of OpenTelemetry's instrumentation run with the spec in its place, or with nothing.

The variable ``LIBRARY`` names the library, ``MODE`` is ``theirs``, ``ours`` or ``nothing``, and ``OUTCOMES`` the file
that receives the outcome of each test. Options of ``instrument()`` become an overlay of the spec.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.libraries.library import Library, read_library, start_spec

# Tests replace the environment.
_OUTCOMES = Path(os.environ["OUTCOMES"])
_FOLDER = _OUTCOMES.parent
_outcomes: dict[str, str] = {}
_active: list[Any] = []


def pytest_configure() -> None:
    mode, library = os.environ["MODE"], read_library(os.environ["LIBRARY"])
    if mode == "theirs":
        return
    named = library.instrumentor_class()
    instrumentor = next(each for each in named.__mro__ if "_instrument" in vars(each))

    def start(*_: Any, **options: Any) -> None:
        stop()
        if mode == "ours":
            _active.append(start_spec(library, _overlay(library, options), **options))

    def stop(*_: Any, **options: Any) -> None:
        while _active:
            _active.pop().stop()

    instrumentor._instrument = start
    instrumentor._uninstrument = stop
    for name in library.starts:
        setattr(instrumentor, name, staticmethod(start))
    for name in library.stops:
        setattr(instrumentor, name, staticmethod(stop))


def _overlay(library: Library, options: dict[str, Any]) -> Path | None:
    """An overlay of the spec that says the same as the options; None if there is nothing to say."""
    given = {name: options[name] for name in library.options if options.get(name) is not None}
    if not given:
        return None
    overlay: dict[str, Any] = {"instrument": 2, "extends": library.spec.name}
    for name, value in given.items():
        if callable(value):
            globals()[name], value = value, f"{__name__}:{name}"
        _merge(overlay, _filled(library.options[name], value))
    shutil.copy(library.spec, _FOLDER)  # a spec that is extended is in the same folder
    file = _FOLDER / "overlay.yaml"
    file.write_text(yaml.safe_dump(overlay), "utf-8")
    return file


def _filled(part: Any, value: Any) -> Any:
    if isinstance(part, dict):
        return {key: _filled(each, value) for key, each in part.items()}
    return [*value] if part == "OPTION" and isinstance(value, tuple) else value if part == "OPTION" else part


def _merge(onto: dict[str, Any], part: dict[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, dict):
            _merge(onto.setdefault(key, {}), value)
        else:
            onto[key] = value


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome == "failed":
        _outcomes[report.nodeid] = report.outcome if _outcomes.get(report.nodeid) != "failed" else "failed"


def pytest_sessionfinish() -> None:
    _OUTCOMES.write_text(json.dumps(_outcomes), "utf-8")
