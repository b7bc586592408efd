"""A library: its folder, its description, and its spec in place of OpenTelemetry's instrumentation."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Library:
    """What ``library.yaml`` says."""

    name: str
    #: The distribution of OpenTelemetry's instrumentation, and its instrumentor, as ``module:Class``.
    instrumentation: str
    instrumentor: str
    requires: list[str] = field(default_factory=list)
    #: Methods of the instrumentor for a single object, such as a client, with the option that stands for the object.
    #: The spec starts or stops in their place; if there is an overlay for the option, it is used.
    starts: dict[str, str] = field(default_factory=dict)
    stops: dict[str, str] = field(default_factory=dict)
    #: Functions of the instrumentor's module that return an object that instruments what it is given to, with the class
    #: of a plain object that they return while the spec is active.
    makes: dict[str, str] = field(default_factory=dict)
    #: The overlay that says the same as an option of ``instrument()``. ``OPTION`` in it stands for the given value.
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Whether to collect what an earlier test left behind: a spec is about all objects.
    collects_garbage: bool = False
    #: The files of the instrumentation whose lines are counted: what the spec takes the place of.
    files: list[str] = field(default_factory=lambda: ["**/*.py"])
    #: What the tests of the instrumentation need in addition.
    test_requires: list[str] = field(default_factory=list)
    #: Facts that differ on purpose, such as ``status.description`` or ``SPAN: events``, each with the reason.
    differences: dict[str, str] = field(default_factory=dict)
    #: Tests of the instrumentation that fail with the spec, by a part of their name, each with the reason.
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return HERE / self.name

    @property
    def spec(self) -> Path:
        return self.folder / "spec.yaml"

    def instrumentor_class(self) -> Any:
        return named(self.instrumentor)

    def program(self) -> Any:
        """The program: ``main`` uses the library, and ``hot``, if there is one, is timed after ``prepare``."""
        return importlib.import_module(f"tests.libraries.{self.name}.program")


def named(text: str) -> Any:
    module, _, name = text.partition(":")
    return getattr(importlib.import_module(module), name)


def read_library(name: str) -> Library:
    return Library(name, **yaml.safe_load((HERE / name / "library.yaml").read_text("utf-8")))


def library_names() -> list[str]:
    return sorted(path.parent.name for path in HERE.glob("*/library.yaml"))


def start_spec(library: Library, spec: Path | None = None, **providers: Any) -> Any:
    """Activate the spec, or an overlay of it, and return the specs that are active, which the caller stops."""
    from opentelemetry.instrumentation.declarative.config.settings import Settings
    from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT
    from opentelemetry.instrumentation.declarative.process.active_specs import ActiveSpecs

    # The tests compare the version of the scope with that of the instrumentation.
    os.environ["INSTRUMENTATION_VERSION"] = metadata.version(library.instrumentation)
    known = {name: providers.get(name) for name in ("tracer_provider", "meter_provider", "logger_provider")}
    specs = ActiveSpecs(Settings((str(spec or library.spec),), FULL_CONTENT, shipped=(), **known))
    specs.start()
    return specs
