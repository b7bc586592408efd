"""Whole processes under ``opentelemetry-instrument``: what is imported, logged, and visible to the program."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import processes
from tests.processes import PACKAGE, ROOT, ProcessResult

DEMO = ROOT / "docs" / "demo" / "app.py"

SHOP = """
def checkout(lines):
    return len(lines)
"""
APP = """
import sys
import shop
print("checked out", shop.checkout(["tea"]))
sys.exit(3)
"""
SPEC = """instrument: 2
name: shop
spans:
  checkout: {around: "shop:checkout", attributes: {shop.lines: "len(lines)"}}
"""

Run = Callable[..., ProcessResult]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs an application, a file or its text, in an empty folder."""

    def run(app: str | Path, *flags: str, traced: bool = True, **environment: str) -> ProcessResult:
        if isinstance(app, str):
            (tmp_path / "app.py").write_text(app)
            app = tmp_path / "app.py"
        return processes.run(app, traced=traced, folder=tmp_path, flags=flags, **environment)

    return run


@pytest.fixture
def shop(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)


# ── AG2 ──


def test_an_application_of_ag2_is_traced_without_a_change(run: Run):
    done = run(DEMO)
    assert (done.code, done.lines, done.errors) == (0, ["bob says: Paris."], "")
    (agent,) = done.named("invoke_agent")
    assert agent["name"] == "invoke_agent bob"
    envelopes = {span["context"]["span_id"]: span for span in done.named("network.envelope")}
    assert envelopes[agent["parent_id"]]["context"]["trace_id"] == agent["context"]["trace_id"]
    assert not any("gen_ai.input.messages" in span["attributes"] for span in done.spans)


def test_content_is_recorded_if_the_standard_variable_enables_it(run: Run):
    done = run(DEMO, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="span_only")
    (chat,) = done.named("chat")
    assert "capital of France" in chat["attributes"]["gen_ai.input.messages"]
    assert "Paris." in chat["attributes"]["gen_ai.output.messages"]
    assert done.errors == ""


def test_an_invalid_value_of_the_standard_variable_is_reported_and_disables_content(run: Run):
    done = run(DEMO, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true")
    assert done.errors.count("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=TRUE is not a valid setting") == 1
    assert done.named("chat")
    assert not any("gen_ai.input.messages" in span["attributes"] for span in done.spans)


def test_a_disabled_instrumentor_patches_nothing_and_is_not_imported(run: Run):
    app = """
import sys
ours = "opentelemetry.instrumentation.declarative"
before = {name for name in ("yaml", ours) if name in sys.modules}
from ag2.network import Hub
methods = [vars(Hub)[name] for name in ("_dispatch", "_wal_append", "_fan_out", "_post_envelope_impl")]
kinds = {type(each) for method in methods for each in method.__code__.co_consts}
print(sorted(before), type(Hub._dispatch) in kinds, ours in sys.modules)
"""
    done = run(app, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="declarative")
    assert (done.code, done.lines, done.errors, done.spans) == (0, ["[] False False"], "", [])
    traced = run(app)
    assert traced.lines[0].endswith("True True")


def test_the_spec_of_a_library_that_is_never_imported_is_not_read(run: Run):
    app = """
import sys
opened = []
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
from opentelemetry.instrumentation.auto_instrumentation import initialize
initialize()
ours = "opentelemetry.instrumentation.declarative"
print(ours in sys.modules, f"{ours}.language.nodes" in sys.modules, "ag2" in sys.modules, "yaml" in sys.modules)
print([file for file in opened if file.endswith("ag2.yaml")])
"""
    done = run(app, traced=False)
    assert (done.lines, done.errors) == (["True False False False", "[]"], "")


def test_an_overlay_is_validated_without_the_planner_until_its_library_is_imported(run: Run, tmp_path: Path):
    text = "instrument: 2\nextends: ag2\nspans: {envelope: {attributes: {app.priority: envelope.priority}}}\n"
    (tmp_path / "my.yaml").write_text(text)
    app = f"""
import sys
heavy = [f"{PACKAGE}.{{name}}" for name in ("plan.planner", "runtime.spans", "wrappers")]
print([name in sys.modules for name in heavy])
import ag2
print([name in sys.modules for name in heavy])
"""
    done = run(app, OTEL_PYTHON_DECLARATIVE_SPECS="my.yaml")
    assert (done.lines, done.errors) == (["[False, False, False]", "[True, True, True]"], "")


def test_a_wrong_name_in_an_overlay_is_reported_at_its_line_when_the_library_is_imported(run: Run, tmp_path: Path):
    (tmp_path / "my.yaml").write_text("instrument: 2\nextends: ag2\nspans: {envelope: {end: [gone.exit]}}\n")
    assert run("print(1)", OTEL_PYTHON_DECLARATIVE_SPECS="my.yaml").errors == ""
    done = run("import ag2.network", OTEL_PYTHON_DECLARATIVE_SPECS="my.yaml")
    assert done.errors.startswith('my.yaml:3:26: error[unknown-hook]: there is no hook "gone"')
    assert "1 problem: this spec is left out; the program is not affected." in done.errors


def test_an_overlay_of_too_many_values_for_its_releases_is_left_out_and_the_shipped_spec_is_active(
    run: Run, tmp_path: Path
):
    releases = "\n".join(f'  r{number}: {{version: "<{number}", spans: {{tool: null}}}}' for number in range(300))
    (tmp_path / "my.yaml").write_text(f"instrument: 2\nextends: ag2\nreleases:\n{releases}\n")
    done = run(
        "from ag2.network import Hub; print(type(Hub._dispatch) in map(type, Hub._dispatch.__code__.co_consts))",
        OTEL_PYTHON_DECLARATIVE_SPECS="my.yaml",
    )
    assert done.lines == ["True"]
    assert "my.yaml:1:1: error[too-large]: this is " in done.errors


def test_an_unsupported_release_is_reported_once_and_not_traced(run: Run, tmp_path: Path):
    (tmp_path / "ag2").mkdir()
    (tmp_path / "ag2" / "__init__.py").write_text("def reply(): return 1")
    information = tmp_path / "ag2-9.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: ag2\nVersion: 9.0\n")
    done = run("import ag2\nprint(ag2.reply())")
    assert (done.code, done.lines, done.spans) == (0, ["1"], [])
    (line,) = done.errors.splitlines()
    assert "ag2 9.0 is installed and this spec is for " in line
    assert line.endswith(": it traces nothing.")


# ── A spec of the user ──


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("way", ["variable", "flag"])
def test_a_spec_file_is_listed_in_a_variable_or_a_flag(way: str, run: Run, tmp_path: Path):
    (tmp_path / "my.yaml").write_text(SPEC)
    done = (
        run(APP, "--declarative_specs", "my.yaml")
        if way == "flag"
        else run(APP, OTEL_PYTHON_DECLARATIVE_SPECS=" my.yaml ,")
    )
    assert (done.code, done.lines, done.errors) == (3, ["checked out 1"], "")
    assert [(span["name"], span["attributes"]) for span in done.spans] == [("checkout", {"shop.lines": 1})]


@pytest.mark.usefixtures("shop")
def test_every_problem_of_a_spec_is_reported_with_its_line_and_the_application_is_not_affected(
    run: Run, tmp_path: Path
):
    (tmp_path / "bad.yaml").write_text(
        """instrument: 2
name: shop
spans:
  checkout:
    around: shop:checkout
    atributes: {shop.lines: len(lines)}
  second:
    around: nobody
  third:
    around: shop:checkout
    attributes: {shop.size: "len(lines"}
"""
    )
    done = run(APP, OTEL_PYTHON_DECLARATIVE_SPECS="bad.yaml")
    assert (done.code, done.lines, done.spans) == (3, ["checked out 1"], [])
    positions = [line.split(": error", 1)[0] for line in done.errors.splitlines() if ": error[" in line]
    assert [place.rsplit(":", 1)[0] for place in positions] == ["bad.yaml:6", "bad.yaml:8", "bad.yaml:11"]
    assert 'did you mean "attributes"?' in done.errors
    assert "3 problems: this spec is left out; the program is not affected." in done.errors


@pytest.mark.usefixtures("shop")
def test_a_missing_spec_file_is_reported_and_the_others_are_active(run: Run, tmp_path: Path):
    (tmp_path / "my.yaml").write_text(SPEC)
    done = run(APP, OTEL_PYTHON_DECLARATIVE_SPECS="gone.yaml,my.yaml")
    assert (done.code, done.lines, len(done.spans)) == (3, ["checked out 1"], 1)
    assert "gone.yaml:1:1: error[" in done.errors
    assert "Traceback" not in done.errors


@pytest.mark.usefixtures("shop")
def test_without_an_sdk_nothing_is_recorded_or_injected(run: Run, tmp_path: Path):
    (tmp_path / "my.yaml").write_text(
        "instrument: 2\nname: shop\nspans:\n"
        '  checkout: {around: "shop:checkout", key: len(lines), inject: {traceparent: "lines[0]"}}\n'
    )
    app = """
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
DeclarativeInstrumentor().instrument(specs=["my.yaml"])
import shop, sys
lines = ["tea"]
print(shop.checkout(lines), lines, "opentelemetry.sdk" in sys.modules)
"""
    done = run(app, traced=False)
    assert (done.lines, done.errors) == (["1 ['tea'] False"], "")


def test_importing_the_package_imports_no_opentelemetry(run: Run):
    app = f"import {PACKAGE}, sys\nprint([name for name in sys.modules if name.startswith(('opentelemetry', 'yaml'))])"
    done = run(app, traced=False)
    assert (done.lines, done.errors) == ([str(["opentelemetry", "opentelemetry.instrumentation", PACKAGE])], "")
