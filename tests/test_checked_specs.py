"""What ``instrument check`` reports about the specs in tests/specs/checked, which trace the module ``shop`` there."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

CASES = Path(__file__).parent / "specs" / "checked"
NAMES = sorted(
    path.name for path in CASES.iterdir() if (path / "expected.txt").exists() or (path / "spec.yaml").exists()
)


@pytest.fixture
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = CASES / request.param
    monkeypatch.chdir(folder)
    for place in (CASES, folder):
        monkeypatch.syspath_prepend(str(place))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    yield folder
    sys.modules.pop("shop", None)


@pytest.mark.parametrize("folder", NAMES, indirect=True)
def test_each_mistake_is_reported_with_a_suggestion(folder: Path, capsys: pytest.CaptureFixture[str]):
    main(["check", "--format", "json", *sorted(path.name for path in folder.glob("*.yaml"))])
    problems = json.loads(capsys.readouterr().out)
    lines = [
        f"{each['file']}:{each['line']}:{each['column']} {each['severity']} {each['code']} {each['message']}"
        f" | {each['help']}\n"
        for each in problems
    ]
    expected = folder / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text("".join(lines), encoding="utf-8")
    assert "".join(lines) == expected.read_text(encoding="utf-8")
