"""A plugin of pytest: the tests of OpenTelemetry's instrumentation run with the spec in its place, or with nothing.

The variable ``LIBRARY`` names the library, ``MODE`` is ``theirs``, ``ours`` or ``nothing``, and ``OUTCOMES`` the file
that receives the outcome of each test. Options of ``instrument()`` become an overlay of the spec.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
from enum import Enum
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
import yaml

import tests
from tests.libraries.library import Library, named, read_library, start_spec

# Tests replace the environment.
_OUTCOMES = Path(os.environ["OUTCOMES"])
_FOLDER = _OUTCOMES.parent
_outcomes: dict[str, str] = {}
_exit_code: list[int] = []
_replaced: list[ReplacedInstrumentor] = []
# The tests of the instrumentation are in a package of the same name, which they may name.
tests.__path__.insert(0, str(Path.cwd() / "tests"))


class ReplacedInstrumentor:
    """An instrumentor that starts the spec, or does nothing."""

    def __init__(self, library: Library, mode: str) -> None:
        self._library = library
        self._starts_spec = mode == "ours"
        self._active: list[Any] = []
        self._options: dict[str, Any] = {}
        self._named = library.instrumentor_class()
        base = next(each for each in self._named.__mro__ if "_instrument" in vars(each))
        # Options are given to the instrumentor or to its method.
        base._instrument = lambda instrumentor, **options: self.start(**{**vars(instrumentor), **options})
        base._uninstrument = lambda _, **options: self.stop()
        for method, parameter in library.starts.items():
            setattr(base, method, staticmethod(partial(self._start_for, parameter)))
        for method, parameter in library.stops.items():
            setattr(base, method, staticmethod(partial(self._stop_for, parameter)))
        for function, made in library.makes.items():
            setattr(sys.modules[self._named.__module__], function, partial(self._make, named(made)))

    def start(self, **options: Any) -> None:
        self.stop()
        self._options = options
        if self._starts_spec:
            if self._library.collects_garbage:
                gc.collect()
            self._active.append(start_spec(self._library, _overlay(self._library, options), **options))

    def stop(self) -> None:
        while self._active:
            self._active.pop().stop()

    def after_test(self, failed: bool) -> None:
        """Undo what a test leaves instrumented, which would make the next ones fail."""
        instrumentor = self._named()
        if failed or not instrumentor._is_instrumented_by_opentelemetry:  # the latter: a single object
            self.stop()
            instrumentor._is_instrumented_by_opentelemetry = False

    def _start_for(self, parameter: str, *given: Any, **options: Any) -> Any:
        """Instrument a single object, which the instrumentation may return in another form."""
        of_object = dict(zip((parameter,), given, strict=False)) | options
        if not self._named()._is_instrumented_by_opentelemetry:
            self.start(**of_object)
        return of_object[parameter]

    def _make(self, made: Any, **options: Any) -> Any:
        """Start for an object that the caller makes, which itself does nothing."""
        self.start(**options)
        return made()

    def _stop_for(self, parameter: str, *given: Any, **options: Any) -> Any:
        (single,) = (*given, *options.values())
        if parameter in self._library.options:
            self.start(**{**self._options, parameter: single})
        else:
            self.stop()
        return single


def _overlay(library: Library, options: dict[str, Any]) -> Path | None:
    """An overlay of the spec that says the same as the options; None if there is nothing to say."""
    given = {name: options[name] for name in library.options if options.get(name) is not None}
    for name in [name for name, value in given.items() if name.startswith("async_") and not iscoroutinefunction(value)]:
        del given[name]  # as the instrumentations do
    if not given:
        return None
    overlay: dict[str, Any] = {"instrument": 2, "extends": library.spec.name}
    for name, value in given.items():
        _merge(overlay, _filled(library.options[name], _written(name, value)))
    shutil.copy(library.spec, _FOLDER)  # a spec that is extended is in the same folder
    file = _FOLDER / "overlay.yaml"
    file.write_text(yaml.safe_dump(overlay), "utf-8")
    return file


def _written(name: str, value: Any) -> Any:
    """The value of an option in YAML.

    A boolean is an expression, a function is written by its name, and an object as a function that returns it.
    """
    if isinstance(value, (list, tuple)):
        return [*value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return {key: _written(f"{name}_{key}", each) for key, each in value.items()}
    if isinstance(value, (str, int, float)):
        return value
    globals()[name] = value if callable(value) else lambda: value
    return f"{__name__}:{name}"


def _filled(part: Any, value: Any) -> Any:
    if isinstance(part, dict):
        return {key: _filled(each, value) for key, each in part.items()}
    if part == "OPTION":
        return value
    return part.replace("OPTION", value) if isinstance(part, str) and isinstance(value, str) else part


def _merge(onto: dict[str, Any], part: dict[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, dict):
            _merge(onto.setdefault(key, {}), value)
        else:
            onto[key] = value


def pytest_configure() -> None:
    mode = os.environ["MODE"]
    if mode != "theirs":
        _replaced.append(ReplacedInstrumentor(read_library(os.environ["LIBRARY"]), mode))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome == "failed":
        _outcomes[report.nodeid] = report.outcome if _outcomes.get(report.nodeid) != "failed" else "failed"
    if report.when == "teardown":
        for each in _replaced:
            each.after_test(failed=_outcomes.get(report.nodeid) == "failed")


def pytest_sessionfinish(exitstatus: int) -> None:
    _OUTCOMES.write_text(json.dumps(_outcomes), "utf-8")
    _exit_code.append(exitstatus)


def pytest_unconfigure() -> None:
    """End the process, also if threads of the tests still run."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(_exit_code[0]) if _exit_code else 1)
