"""What a process loads when it starts with an overlay on AG2's spec: its cost, without measuring time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .bench.startup import OVERLAY
from .processes import PACKAGE, run_python

PROGRAM = """
import json, sys
import ag2.network
package = sys.argv[1]
loaded = {name: module for name, module in sys.modules.items() if module and name.startswith(f"{package}.")}
classes = {value for module in loaded.values() for value in vars(module).values() if isinstance(value, type)}
own = [each for each in classes if each.__module__.startswith(package)]
print("facts", json.dumps({
    "modules": sorted(name.removeprefix(f"{package}.") for name in loaded),
    "dataclasses": sorted(each.__name__ for each in own if hasattr(each, "__dataclass_params__")),
    "records": sum("__record_identity__" in vars(each) for each in own),
}))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("start")
    (folder / "overlay.yaml").write_text(OVERLAY, encoding="utf-8")
    found = run_python("-c", PROGRAM, PACKAGE, folder=folder, OTEL_PYTHON_DECLARATIVE_SPECS="overlay.yaml")
    assert found.lines, found.errors
    facts: dict[str, Any] = json.loads(found.lines[-1].removeprefix("facts "))
    return facts


def test_the_classes_that_a_traced_process_loads_are_records(started: dict[str, Any]) -> None:
    # This one is a dataclass to OpenTelemetry, which converts its configuration file to it.
    assert started["dataclasses"] == ["RawOptions"]
    assert started["records"] > 100


@pytest.mark.parametrize("package", ["cli", "inspection", "lint", "live", "report", "testing", "view"])
def test_a_traced_process_loads_no_package_that_only_commands_and_options_need(
    started: dict[str, Any], package: str
) -> None:
    assert [name for name in started["modules"] if name == package or name.startswith(f"{package}.")] == []
