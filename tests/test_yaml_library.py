"""The YAML library does not take a name from the program, whatever the program has under this name."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.language.yaml_recovery import read_with_recovery

from .processes import PATIENCE, SOURCE, run

SPEC = 'instrument: 2\nname: app\nspans: {greet: {around: "__main__:greet", attributes: {who: who}}}\n'
BROKEN = SPEC.replace("}}}\n", "}}\n")
APP = """
import sys
before = sorted(name for name in sys.modules if name.partition(".")[0] in ("yaml", "_yaml"))
import yaml
def greet(who):
    print(before, who, yaml.__file__)
greet(yaml.WHO)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "program").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "program" / "yaml.py").write_text("WHO = 'own'\n")
    (tmp_path / "program" / "app.py").write_text(APP)
    return tmp_path / "program" / "app.py"


@pytest.mark.parametrize("started_in", ["program", "elsewhere"])
def test_a_program_with_its_own_module_yaml_imports_it(app: Path, started_in: str):
    root = app.parents[1]
    found = run(app, folder=root / started_in, OTEL_PYTHON_DECLARATIVE_SPECS=str(root / "spec.yaml"))
    assert found.lines == [f"[] own {app.parent / 'yaml.py'}"], found.errors
    assert [(span["name"], span["attributes"]) for span in found.spans] == [("greet", {"who": "own"})]


def test_a_package_yaml_of_the_program_is_not_taken_for_the_library(app: Path):
    (app.parent / "yaml.py").unlink()
    package = app.parent / "yaml"
    package.mkdir()
    (package / "__init__.py").write_text("WHO = 'package'\nparse = SafeLoader = YAMLError = None\n")
    found = run(app, folder=app.parent, OTEL_PYTHON_DECLARATIVE_SPECS=str(app.parents[1] / "spec.yaml"))
    assert found.lines == [f"[] package {package / '__init__.py'}"], found.errors
    assert len(found.spans) == 1


PYYAML = """
import sys
import yaml
def greet(who):
    try:
        yaml.load("a: [", Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
    except yaml.YAMLError as error:
        print(who, yaml.__name__, type(error).__module__, sys.modules["yaml"] is yaml)
greet("PyYAML")
"""


def test_a_program_that_uses_the_library_has_its_own_copy(app: Path):
    (app.parent / "yaml.py").unlink()
    app.write_text(PYYAML)
    found = run(app, OTEL_PYTHON_DECLARATIVE_SPECS=str(app.parents[1] / "spec.yaml"))
    (line,) = found.lines
    assert line.startswith("PyYAML yaml yaml.") and line.endswith("True")
    assert len(found.spans) == 1


def test_a_mistake_in_a_spec_is_reported_by_the_private_copy_as_well(app: Path):
    spec = app.parents[1] / "spec.yaml"
    spec.write_text(BROKEN)
    found = run(app, OTEL_PYTHON_DECLARATIVE_SPECS=str(spec))
    assert len(found.lines) == 1
    assert "spec.yaml:3:66" in found.errors
    assert "yaml-syntax" in found.errors
    assert "Traceback" not in found.errors


ACTIVE = """
import sys
import opentelemetry.instrumentation.auto_instrumentation
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
before = set(sys.modules)
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
DeclarativeInstrumentor().instrument(specs=[sys.argv[1]])
added = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(added - sys.stdlib_module_names))
"""


def test_an_active_spec_adds_no_module_that_opentelemetry_does_not_need(app: Path):
    command = [sys.executable, "-c", ACTIVE, str(app.parents[1] / "spec.yaml")]
    found = subprocess.run(command, capture_output=True, text=True, cwd=SOURCE, timeout=PATIENCE)
    assert found.stdout == "['opentelemetry']\n", found.stderr


LATER = """
import sys
from opentelemetry.instrumentation.declarative.language.document import parse_document
from opentelemetry.instrumentation.declarative.language.yaml_library import yaml_library
private = yaml_library()
first = parse_document(sys.argv[1], "spec.yaml")
import yaml
print(private is yaml, yaml_library() is yaml, parse_document(sys.argv[1], "spec.yaml") == first)
"""


def test_the_copy_of_the_program_is_used_from_its_import_on_and_reads_the_same():
    found = subprocess.run(
        [sys.executable, "-c", LATER, SPEC], capture_output=True, text=True, cwd=SOURCE, timeout=PATIENCE
    )
    assert found.stdout == "False True True\n", found.stderr


def test_a_mistake_is_explained_in_the_same_way_with_the_copy_of_the_program(monkeypatch: pytest.MonkeyPatch):
    text = 'target:\n  version: >=2.0\nspans: {a: "b" c}\n'
    found = []
    for module in (importlib.import_module("yaml"), None):
        monkeypatch.setitem(sys.modules, "yaml", module)
        found.append(read_with_recovery(text, "shop.yaml").problems)
    assert found[0] == found[1]
    assert found[0][0].help == 'write ">=2.0"'


def test_the_library_is_imported_by_its_name_where_no_folder_has_it(monkeypatch: pytest.MonkeyPatch):
    import yaml

    library = importlib.import_module("opentelemetry.instrumentation.declarative.language.yaml_library")
    assert library.yaml_library() is yaml
    monkeypatch.setattr(sys, "path", [])
    assert library.private_library.__wrapped__() is yaml
