"""The tests that the threat model names exist, and untrusted specs do not cause imports."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")

IMPORTS = """
import sys
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.plan.validation import read_spec
code = main(["check", "--no-import", sys.argv[1]])
read_spec(sys.argv[1])
print(code, [name for name in ("antigravity", "this", "turtle") if name in sys.modules])
"""

SPEC = """
instrument: 2
name: stranger
functions: {run: "antigravity:fly"}
hooks: {go: {call: "this:s.go"}}
extensions: {extension: {base: "turtle:Turtle", install: {at: go.return, call: self.add}}}
spans: {a: {around: go, attributes: {b: run(self)}}}
"""


def test_every_test_that_the_threat_model_names_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 30
    assert named <= there, named - there


def test_neither_reading_a_spec_nor_check_without_imports_imports_its_modules(tmp_path: Path):
    file = tmp_path / "stranger.yaml"
    file.write_text(SPEC)
    run = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(file)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "0 []"
