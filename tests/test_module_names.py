"""Modules that a program imports by another name than the spec."""

import importlib
import sys
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor


@pytest.mark.parametrize(
    ("target", "folder", "imported", "is_reported"),
    [
        pytest.param("src.kiosk:pay", "src", "kiosk", True, id="a folder that is not a package for the program"),
        pytest.param("src.kiosk.kiosk_desk:pay", "src/kiosk", "kiosk_desk", True, id="two such folders"),
        pytest.param("kiosk:pay", ".", "src.kiosk", True, id="a package that the spec does not know"),
        pytest.param("src.kiosk:pay", ".", "src.kiosk", False, id="the same name"),
        pytest.param("src.kiosk:refund", "src", "kiosk", False, id="a module without the callable"),
        pytest.param("other.kiosk:pay", "src", "kiosk", False, id="another module with the same last name"),
        pytest.param("src.gone:pay", "src", "gone", False, id="a module that is not in sys.modules"),
        pytest.param("src.odd:pay", "src", "odd", False, id="a module whose file is not a text"),
        pytest.param("kiosk_desk:pay", "src/kiosk", "kiosk_desk", False, id="a module that is imported by both names"),
        pytest.param("src.kiosk:*", "src", "kiosk", True, id="a pattern"),
    ],
)
def test_a_module_that_is_imported_by_another_name_is_reported(
    target: str,
    folder: str,
    imported: str,
    is_reported: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spec_file,
    logged,
):
    for file in ("src/kiosk/__init__.py", "src/kiosk/kiosk_desk.py", "src/__init__.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("def pay(): return 1\n")
    pay = "def pay(): return 1\n"
    own = "import sys, types\nsys.modules[__name__] = types.SimpleNamespace(pay=pay)\n"
    (tmp_path / "src" / "gone.py").write_text(pay + own)
    (tmp_path / "src" / "odd.py").write_text(pay + "__file__ = 3\n")
    monkeypatch.syspath_prepend(tmp_path / folder)
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(specs=[spec_file(f'spans: {{pay: {{around: "{target}"}}}}')])
    try:
        assert importlib.import_module(imported).pay() == 1
    finally:
        instrumentor.uninstrument()
        for name in [
            name for name in sys.modules if name.split(".")[0] in ("src", "kiosk", "kiosk_desk", "gone", "odd")
        ]:
            del sys.modules[name]
    found = [message for message in logged() if "was not imported" in message]
    path = target.partition(":")[2]
    assert len(found) == is_reported
    assert all(f"name a module as the program imports it: {imported}:{path}" in message for message in found)


@pytest.mark.parametrize(
    ("target", "suggestion"),
    [
        pytest.param("kiosks:pay", "kiosk:pay", id="a character too many"),
        pytest.param("kisk.desk:pay", "kiosk.desk:pay", id="a character too few"),
        pytest.param("kioks.desk:Till.open", "kiosk.desk:Till.open", id="two characters exchanged"),
        pytest.param("koisk.*:*.open", "kiosk.*:*.open", id="a pattern"),
        pytest.param("kiosks:refund", None, id="a module without the callable"),
        pytest.param("kiosks.till:pay", None, id="another module"),
        pytest.param("kioskers:pay", None, id="another name"),
        pytest.param("kiosk2:pay", None, id="a package that exists"),
    ],
)
def test_a_package_that_is_misspelt_is_reported_when_the_program_imports_it(
    target: str, suggestion: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec_file, logged
):
    for file in ("kiosk/__init__.py", "kiosk/desk.py", "kiosk2.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("def pay(): return 1\nclass Till:\n    def open(self): return 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(specs=[spec_file(f'spans: {{pay: {{around: "{target}"}}}}')])
    try:
        assert importlib.import_module("kiosk.desk").pay() == 1
    finally:
        instrumentor.uninstrument()
        for name in ("kiosk", "kiosk.desk"):
            del sys.modules[name]
    found = [message for message in logged() if "was not imported" in message]
    assert [message.count(f'did you mean "{suggestion}"?') for message in found] == ([1] if suggestion else [])
