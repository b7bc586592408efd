"""What a process loads when it starts with an overlay on AG2's spec: its cost, without measuring time."""

import json
from typing import Any

import pytest

from .bench.startup import OVERLAY
from .processes import PACKAGE, run_python

PROGRAM = """
import json, re, sys

package = sys.argv[1]
compiled = []

def observe(event, arguments):
    if event == "compile" and arguments[1] == "<instrument>":
        compiled.append(type(arguments[0]).__name__)

sys.addaudithook(observe)
import ag2.network

loaded = {name: module for name, module in sys.modules.items() if module and name.startswith(f"{package}.")}
values = [value for module in loaded.values() for value in vars(module).values()]
classes = {value for value in values if isinstance(value, type) and value.__module__.startswith(package)}
print("facts", json.dumps({
    "modules": sorted(name.removeprefix(f"{package}.") for name in loaded),
    "dataclasses": sorted(each.__name__ for each in classes if hasattr(each, "__dataclass_params__")),
    "records": sum("__record_identity__" in vars(each) for each in classes),
    "patterns": len({value.pattern for value in values if isinstance(value, re.Pattern)}),
    "compiled": compiled,
}))
"""
#: What only the problems of a spec need, the part of PyYAML that builds values, and what only editors need.
NOT_LOADED = ("expressions.syntax_problems", "language.yaml_library.yaml.constructor", "language.json_schema")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("start")
    (folder / "overlay.yaml").write_text(OVERLAY, encoding="utf-8")
    found = run_python("-c", PROGRAM, PACKAGE, folder=folder, OTEL_PYTHON_DECLARATIVE_SPECS="overlay.yaml")
    assert found.lines, found.errors
    facts: dict[str, Any] = json.loads(found.lines[-1].removeprefix("facts "))
    return facts


def test_the_classes_that_a_traced_process_loads_are_records(started: dict[str, Any]):
    # This one is a dataclass to OpenTelemetry, which converts its configuration file to it.
    assert started["dataclasses"] == ["RawOptions"]
    assert started["records"] > 100


@pytest.mark.parametrize("package", ["cli", "inspection", "lint", "live", "report", "testing", "view"])
def test_a_traced_process_loads_no_package_that_only_commands_and_options_need(started: dict[str, Any], package: str):
    assert [name for name in started["modules"] if name == package or name.startswith(f"{package}.")] == []


@pytest.mark.parametrize("module", NOT_LOADED)
def test_a_process_whose_specs_are_valid_does_not_load_what_it_does_not_need(started: dict[str, Any], module: str):
    assert "language.yaml_reader" in started["modules"]
    assert module not in started["modules"]


def test_few_regular_expressions_are_compiled_at_process_start(started: dict[str, Any]):
    assert started["patterns"] <= 40


def test_the_wrappers_of_ag2_are_compiled_from_text_and_once(started: dict[str, Any]):
    assert set(started["compiled"]) <= {"bytes", "str"}  # and not trees of nodes
    assert 10 < len(started["compiled"]) < 40
