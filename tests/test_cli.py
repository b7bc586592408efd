import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.version import __version__

from tests.processes import PACKAGE, SOURCE

GOOD = "instrument: 2\nname: shop\nspans:\n  buy:\n    around: shop.cart:Cart.buy\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, with the library that the specs are for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "cart.py").write_text("class Cart:\n    def buy(self): return 1\n")
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"instrument {__version__}\n"


def test_the_command_runs_as_a_module(here: Path):
    (here / "good.yaml").write_text(GOOD)
    command = [sys.executable, "-m", PACKAGE, "check", "good.yaml"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "good.yaml: no problems\n", "")


def test_a_reader_that_stops_reading_causes_no_traceback(here: Path):
    (here / "good.yaml").write_text(GOOD)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", PACKAGE, "check", "good.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_clean_file_exits_0(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "good.yaml").write_text(GOOD)
    assert main(["check", "good.yaml"]) == 0
    assert capsys.readouterr().out == "good.yaml: no problems\n"


def test_a_problem_exits_1_and_is_shown_with_its_line_and_help(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "my.yaml").write_text(GOOD + "    atributes:\n      shop.total: result.total\n")
    assert main(["check", "my.yaml"]) == 1
    assert capsys.readouterr().out == (
        'my.yaml:6:5: error[unknown-key]: "atributes" is not a key of a span\n'
        "  6 |     atributes:\n"
        "    |     ^^^^^^^^^\n"
        '  help: did you mean "attributes"?\n'
        "1 problem\n"
    )


def test_all_problems_of_all_files_are_reported_in_one_run(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "one.yaml").write_text(GOOD + "    kind: clent\n    attributes: {a: x ** 2}\n")
    (here / "good.yaml").write_text(GOOD)
    (here / "two.yaml").write_text(GOOD + "    parent: {span: bye, key: self.id}\n")
    assert main(["check", "one.yaml", "good.yaml", "two.yaml", "gone.yaml"]) == 1
    out = capsys.readouterr().out
    assert re.findall(r"^(\S+): error\[(\S+)\]", out, re.MULTILINE) == [
        ("one.yaml:6:11", "wrong-value"),
        ("one.yaml:7:23", "not-allowed"),
        ("two.yaml:6:20", "unknown-span"),
        ("gone.yaml:1:1", "unreadable-file"),
    ]
    assert "good.yaml: no problems\n" in out
    assert out.endswith("4 problems\n")


def test_a_problem_in_an_expression_is_underlined(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "my.yaml").write_text(GOOD + "    name: 'buy {self.items()} for {lenn(self.who)}'\n")
    assert main(["check", "my.yaml"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        'my.yaml:6:17: error[not-allowed]: the method "items" cannot be called in an expression: expressions only read',
        "  6 |     name: 'buy {self.items()} for {lenn(self.who)}'",
        "    |                 ^^^^^^^^^^^^",
        "  help: write keys(self), and self[key] for a value",
        'my.yaml:6:36: error[unknown-function]: there is no function "lenn"',
        "  6 |     name: 'buy {self.items()} for {lenn(self.who)}'",
        "    |                                    ^^^^",
        '  help: did you mean "len"?',
        "2 problems",
    ]


def test_problems_are_written_as_json(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "good.yaml").write_text(GOOD)
    (here / "my.yaml").write_text(GOOD + "    atributes: {}\n")
    assert main(["check", "--format", "json", "good.yaml", "my.yaml"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {
            "file": "my.yaml",
            "line": 6,
            "column": 5,
            "length": 9,
            "severity": "error",
            "code": "unknown-key",
            "message": '"atributes" is not a key of a span',
            "help": 'did you mean "attributes"?',
        }
    ]
    assert main(["check", "--format", "json", "good.yaml"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_problems_are_written_as_annotations_for_github(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "a,b.yaml").write_text(GOOD + "    kind: 100%\n")
    assert main(["check", "--format", "github", "a,b.yaml"]) == 1
    line = capsys.readouterr().out
    assert line.startswith('::error file=a%2Cb.yaml,line=6,col=11,title=wrong-value::"kind" must be "internal"')
    assert "100%25" in line
    assert line.count("\n") == 1
    (here / "good.yaml").write_text(GOOD)
    assert main(["check", "--format", "github", "good.yaml"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [[], ["check"], ["chekc", "x.yaml"], ["check", "--nonsense", "x.yaml"]])
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: instrument" in capsys.readouterr().err


def test_explain_shows_the_wrapper_of_a_callable_with_the_position_of_each_rule(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("ag2")
    assert main(["explain", "--source", "ag2.network.hub.core:Hub._dispatch"]) == 0
    out = capsys.readouterr().out
    lines = directory("configs").joinpath("ag2.yaml").read_text(encoding="utf-8").splitlines()
    assert out.startswith("# ag2.network.hub.core:Hub._dispatch\nasync def _dispatch(self, envelope, ")
    places = re.findall(r"# ag2\.yaml:([0-9]+)  span envelope ends", out)
    assert places
    assert all("dispatch.exit" in lines[int(place) - 1] for place in places)
    compile(out, "explained", "exec")


def test_explain_of_a_missing_target_exits_1(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", "no.such:thing"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error[target-missing]: there is no module no: no installed package provides it\n")


def test_explain_accepts_spec_files(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "my.yaml").write_text("instrument: 2\nname: mine\nspans: {a: {around: 'textwrap:dedent'}}\n")
    assert main(["explain", "--source", "--specs", "my.yaml", "textwrap:dedent"]) == 0
    assert "# my.yaml:3  span a starts" in capsys.readouterr().out
