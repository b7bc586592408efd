"""``instrument run``: the program is the same, with the specs at work."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

from tests.processes import SOURCE

APP = """
import os, sys
print("hello", *sys.argv[1:])
print([os.environ.get(f"OTEL_{name}_EXPORTER") for name in ("TRACES", "METRICS", "LOGS")])
import shop
shop.buy()
sys.exit(7)
"""
SPEC = 'instrument: 1\nname: shop\nspans: {buy: {around: "shop:buy"}, sell: {around: "shop:sell"}}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "shop.py").write_text("def buy(): print('bought')\ndef sell(): pass\n")
    (tmp_path / "my.yaml").write_text(SPEC)
    return tmp_path


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    # `python` is to be this one, whether its environment is activated or not.
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "opentelemetry.instrumentation.declarative.cli.main", "run", *arguments],
        cwd=folder,
        env={**kept, "PATH": path, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True,
        text=True,
        timeout=60,
    )


NO_EXPORT = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}


@pytest.mark.parametrize("command", [("app.py",), ("python", "app.py"), ("-m", "app"), ("--", "app.py")])
def test_a_program_runs_with_its_arguments_and_its_exit_code(command: tuple[str, ...], folder: Path) -> None:
    given = ("--report", "-x", "one two")
    done = run(folder, "--specs", "my.yaml", *command, *given, **NO_EXPORT)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.splitlines() == ["hello --report -x one two", "['none', 'none', 'none']", "bought"]


def test_a_report_goes_to_standard_error_or_to_a_file(folder: Path) -> None:
    done = run(folder, "--report", "--specs", "my.yaml", "app.py", **NO_EXPORT)
    assert done.returncode == 7
    assert "shop:sell was not called\n      my.yaml:3  span sell starts\n" in done.stderr
    done = run(folder, "--specs=my.yaml", "--report=told.txt", "app.py", **NO_EXPORT)
    assert (done.returncode, done.stderr) == (7, "")
    assert "shop:sell was not called\n" in (folder / "told.txt").read_text()


def test_the_tree_is_shown_only_where_it_is_asked_for(folder: Path) -> None:
    done = run(folder, "--tree", "--specs", "my.yaml", "app.py")
    assert (done.returncode, done.stderr) == (7, "")
    assert "['tree', 'none', 'none']" in done.stdout
    assert "└─ buy" in done.stdout
    done = run(folder, "app.py", OTEL_SDK_DISABLED="true")
    assert "[None, None, None]" in done.stdout.replace("'otlp'", "None")


def test_the_specs_of_the_flag_are_added_to_those_of_the_environment(folder: Path) -> None:
    (folder / "more.yaml").write_text(SPEC.replace("buy:", "bought:"))
    listed = {"OTEL_PYTHON_DECLARATIVE_SPECS": "my.yaml"}
    done = run(folder, "--tree", "--specs", "more.yaml", "app.py", **listed)
    assert "─ buy" in done.stdout
    assert "─ bought" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "there is no program to run. Name it: instrument run app.py"),
        (["gone.py"], "there is no file gone.py. Look for its name."),
        (["no-such-program"], "there is no program no-such-program. Name a Python file, or a command that is on PATH."),
        (["-m"], "there is no module after -m. Name it: instrument run -m app"),
        (["--specs", "a,b.yaml", "."], 'the spec "a,b.yaml" has a comma in its name: it separates specs.'),
    ],
)
def test_wrong_usage_is_told_and_exits_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert main(["run", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_an_unknown_flag_is_wrong_usage(folder: Path) -> None:
    done = run(folder, "--unknown", "app.py")
    assert done.returncode == 2
    assert "--unknown" in done.stderr
