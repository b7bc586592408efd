"""``instrument run``: the program is unchanged, and specs are active."""

import json
import os
import subprocess
import sys
import sysconfig
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli import default_exporters
from opentelemetry.instrumentation.declarative.cli.main import main

from tests.processes import PATIENCE, SOURCE

APP = """
import os, sys
print("hello", *sys.argv[1:])
print([os.environ.get(f"OTEL_{name}_EXPORTER") for name in ("TRACES", "METRICS", "LOGS")])
import shop
shop.buy()
sys.exit(7)
"""
SPEC = 'instrument: 2\nname: shop\nspans: {buy: {around: "shop:buy"}, sell: {around: "shop:sell"}}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "shop.py").write_text("def buy(): print('bought')\ndef sell(): pass\n")
    (tmp_path / "my.yaml").write_text(SPEC)
    return tmp_path


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    # `python` must be this one, whether its environment is activated or not.
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "opentelemetry.instrumentation.declarative.cli.main", "run", *arguments],
        cwd=folder,
        env={**kept, "PATH": path, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


NO_EXPORT = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}


@pytest.mark.parametrize("command", [("app.py",), ("python", "app.py"), ("-m", "app"), ("--", "app.py")])
def test_a_program_runs_with_its_arguments_and_its_exit_code(command: tuple[str, ...], folder: Path):
    given = ("--report", "-x", "one two")
    done = run(folder, "--specs", "my.yaml", *command, *given, **NO_EXPORT)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.splitlines() == ["hello --report -x one two", "['none', 'none', 'none']", "bought"]


def test_a_module_that_does_not_exist_is_reported_at_the_end_and_only_by_the_program_itself(folder: Path):
    (folder / "wrong.yaml").write_text(SPEC.replace("shop:buy", "shopp:buy").replace("shop:sell", "shop_two:sell"))
    (folder / "shop_two.py").write_text("")
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import json'], check=True)"
    (folder / "parent.py").write_text(child)
    done = run(folder, "--specs", "wrong.yaml", "parent.py", **NO_EXPORT)
    assert done.stderr.count("warning[target-missing]") == done.stderr.count("there is no module shopp") == 1
    assert 'did you mean "shop"?' in done.stderr


def test_a_misspelt_name_of_the_script_is_reported_once_with_the_right_one(folder: Path):
    (folder / "wrong.yaml").write_text(SPEC.replace("shop:buy", "scritp:buy"))
    forked = "import os\ndef buy(): return 1\nif os.fork():\n    os.wait()\nbuy()"
    (folder / "script.py").write_text(forked if hasattr(os, "fork") else "def buy(): return 1\nbuy()")
    done = run(folder, "--specs", "wrong.yaml", "script.py", **NO_EXPORT)
    assert done.stderr.count("warning[target-missing]") == done.stderr.count('did you mean "script:buy"?') == 1


INACTIVE = """
import sys, types
import bases, shop

def replaced(): return "other"
shop.overwritten.__code__ = replaced.__code__

def covering(): return copy()
shop.copy = types.FunctionType(shop.covered.__code__, vars(shop))
shop.covered.__code__ = covering.__code__

code = shop.variant.__code__
shop.variant.__code__ = code.replace(co_name="changed")

def made(): return "made"
for name in ("made", "unused"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["made"].made = made
print(shop.overwritten(), shop.covered(), shop.variant(), made())
"""


def test_hooks_that_are_inactive_without_an_error_are_reported_at_the_end(folder: Path):
    targets = ["shop:overwritten", "shop:covered", "shop:variant", "made:made", "unused:unused"]
    functions = "".join(f"def {each}(): return '{each}'\n" for each in ("overwritten", "covered", "variant"))
    (folder / "shop.py").write_text(functions)
    (folder / "inactive.py").write_text(INACTIVE)
    (folder / "bases.py").write_text("class Base:\n    def check(self): return 1\nBase().check()\n")
    spans = "".join(f'  s{number}: {{around: "{target}"}}\n' for number, target in enumerate(targets))
    hooks = 'hooks:\n  checked: {call: {subclass_of: "bases:Base", method: check}}\n'
    spans += "  s5: {around: checked}\n"
    (folder / "inactive.yaml").write_text(f"instrument: 2\nname: shop\n{hooks}spans:\n{spans}")
    done = run(folder, "--report", "--specs", "inactive.yaml", "inactive.py", **NO_EXPORT)
    assert done.stdout == "other covered variant made\n"
    warnings = [line.partition("]: ")[2] for line in done.stderr.splitlines() if "warning[" in line]
    assert warnings == [
        "shop:overwritten has other code since it was patched: hooks on it are inactive",
        "made was added to sys.modules without an import: hooks on it are inactive",
    ]
    assert "shop:overwritten was not called: the program has replaced it since it was patched" in done.stderr


def test_a_report_goes_to_standard_error_or_to_a_file(folder: Path):
    done = run(folder, "--report", "--specs", "my.yaml", "app.py", **NO_EXPORT)
    assert done.returncode == 7
    assert "shop:sell was not called\n      my.yaml:3  span sell starts\n" in done.stderr
    done = run(folder, "--specs=my.yaml", "--report=rules.txt", "app.py", **NO_EXPORT)
    assert (done.returncode, done.stderr) == (7, "")
    assert "shop:sell was not called\n" in (folder / "rules.txt").read_text()


def test_the_tree_is_shown_only_on_request(folder: Path):
    done = run(folder, "--tree", "--specs", "my.yaml", "app.py")
    assert (done.returncode, done.stderr) == (7, "")
    assert "['tree', 'none', 'none']" in done.stdout
    assert "└─ buy" in done.stdout
    done = run(folder, "app.py", OTEL_SDK_DISABLED="true")
    assert "[None, None, None]" in done.stdout.replace("'otlp'", "None")


def test_the_specs_of_the_flag_are_added_to_those_of_the_environment(folder: Path):
    (folder / "more.yaml").write_text(SPEC.replace("buy:", "bought:"))
    listed = {"OTEL_PYTHON_DECLARATIVE_SPECS": "my.yaml"}
    done = run(folder, "--tree", "--specs", "more.yaml", "app.py", **listed)
    assert "─ buy" in done.stdout
    assert "─ bought" in done.stdout


CONFIG = """file_format: "1.0"
instrumentation/development:
  python:
    declarative:
      report: file.txt
      specs:
        - instrument: 2
          name: inline
          spans: {inline: {around: "shop:buy"}}
"""


def test_a_spec_that_several_sources_list_is_active_once(folder: Path):
    listed = f"my.yaml,{folder / 'my.yaml'}"
    done = run(folder, "--tree", "--specs", "my.yaml", "app.py", OTEL_PYTHON_DECLARATIVE_SPECS=listed)
    assert done.stdout.count("\u2514\u2500 buy") == 1


def test_the_flags_override_the_configuration_file_and_their_specs_are_added(folder: Path):
    (folder / "otel.yaml").write_text(CONFIG)
    settings = {**NO_EXPORT, "OTEL_CONFIG_FILE": "otel.yaml"}
    done = run(folder, "--report", "--specs", "my.yaml", "--tree", "app.py", **settings)
    assert done.returncode == 7
    assert [word for word in done.stdout.split() if word in ("buy", "inline")] == ["inline", "buy"]
    assert "shop (my.yaml): 4 rules" in done.stderr
    assert "inline (otel.yaml): 2 rules" in done.stderr
    assert "is ignored" not in done.stderr
    assert not (folder / "file.txt").exists()
    run(folder, "app.py", **settings)
    assert "inline (otel.yaml): 2 rules" in (folder / "file.txt").read_text()


def test_the_environment_holds_only_what_the_flags_say(folder: Path):
    (folder / "otel.yaml").write_text(CONFIG)
    (folder / "show.py").write_text("import os\nfor name, value in os.environ.items(): print(f'{name}={value}')\n")
    settings = {**NO_EXPORT, "OTEL_CONFIG_FILE": "otel.yaml"}
    done = run(folder, "--specs", "my.yaml", "show.py", **settings)
    ours = [line for line in done.stdout.splitlines() if line.startswith("OTEL_PYTHON_DECLARATIVE")]
    name, _, flags = ours[0].partition("=")
    assert (len(ours), name) == (1, "OTEL_PYTHON_DECLARATIVE_RUN_FLAGS")
    assert json.loads(flags) | {"process": 0} == {"specs": ["my.yaml"], "report": False, "tree": False, "process": 0}
    done = run(folder, "show.py", **settings)
    assert "OTEL_PYTHON_DECLARATIVE" not in done.stdout


def test_a_spec_may_have_a_comma_in_its_name_and_a_program_run_inside_adds_its_own(folder: Path):
    (folder / "a,b.yaml").write_text(SPEC)
    (folder / "more.yaml").write_text(SPEC.replace("buy:", "bought:"))
    (folder / "outer.py").write_text(
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'opentelemetry.instrumentation.declarative', 'run', '--specs', 'more.yaml']\n"
        "sys.exit(subprocess.run([*command, 'app.py']).returncode)\n"
    )
    done = run(folder, "--tree", "--specs", "a,b.yaml", "outer.py")
    assert (done.returncode, done.stderr) == (7, "")
    assert "─ buy" in done.stdout
    assert "─ bought" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no program is given. For example: instrument run app.py"),
        (["gone.py"], "gone.py does not exist. Check the path."),
        (["no-such-program"], "there is no command no-such-program. Name a Python file, or a command on PATH."),
        (["-m"], "no module is given after -m. For example: instrument run -m app"),
    ],
)
def test_wrong_usage_is_reported_and_exits_2(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(folder)
    assert main(["run", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_flag_is_wrong_usage(folder: Path):
    done = run(folder, "--unknown", "app.py")
    assert done.returncode == 2
    assert "--unknown" in done.stderr


@pytest.mark.parametrize(
    ("installed", "distributions", "given", "disabled"),
    [
        ("", "distro", {}, "TRACES METRICS LOGS"),
        ("otlp_proto_http", "distro", {}, "TRACES METRICS LOGS"),
        ("otlp_proto_http", "distro", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ""),
        ("otlp_proto_http", "distro", {"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/protobuf"}, "TRACES METRICS"),
        ("otlp_proto_grpc", "distro", {}, ""),
        ("", "distro", {"OTEL_TRACES_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "otlp"}, "METRICS"),
        ("", "distro", {"OTEL_EXPORTER_OTLP_PROTOCOL": "unknown"}, ""),
        ("", "distro", {"OTEL_SDK_DISABLED": "true"}, ""),
        ("", "another", {}, ""),
        ("", "", {}, ""),
    ],
)
def test_a_default_exporter_that_is_not_installed_is_disabled(
    installed: str, distributions: str, given: dict[str, str], disabled: str, monkeypatch: pytest.MonkeyPatch
):
    def entry_points(group: str, **name: str) -> EntryPoints:
        names = distributions if group == "opentelemetry_distro" else installed
        return EntryPoints(EntryPoint(each, "a:b", group) for each in names.split()).select(**name)

    monkeypatch.setattr(default_exporters, "entry_points", entry_points)
    monkeypatch.setattr(os, "environ", {**given})
    assert default_exporters.disable_missing_exporters() == ("TRACES" in disabled)
    assert os.environ == given | {f"OTEL_{signal}_EXPORTER": "none" for signal in disabled.split()}


def test_a_program_runs_and_is_reported_without_an_exporter(folder: Path):
    if entry_points(group="opentelemetry_traces_exporter", name="otlp_proto_grpc"):
        pytest.skip("there is an exporter")
    done = run(folder, "--report", "--specs", "my.yaml", "app.py")
    assert done.returncode == 7 and "bought" in done.stdout
    assert done.stderr.startswith("instrument run: spans are not exported: no exporter for OTLP is installed")
    assert "shop (my.yaml): 4 rules" in done.stderr and "Traceback" not in done.stderr
