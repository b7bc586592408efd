"""The options and their sources: configuration file, variables, flags and Python; and which one applies."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.config.options import OPTIONS
from opentelemetry.instrumentation.declarative.config.settings import read_settings
from opentelemetry.instrumentation.declarative.process.watch import THREAD_NAME

from tests.processes import COMMAND, PATIENCE, SOURCE, ProcessResult, run

PAGE = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")

SHOP = "def checkout(lines):\n    return len(lines)\n"
APP = "import shop\nprint('checked out', shop.checkout(['tea']))\n"
SPEC = """instrument: 2
name: shop
spans:
  checkout:
    around: shop:checkout
    attributes: {shop.lines: "len(lines)", shop.first: {value: "lines[0]", content: true}}
"""
CONFIG = """file_format: "1.0"
tracer_provider:
  processors:
    - simple: {exporter: {console: {}}}
  # Another section, which is not validated: an anchor.
  sampler: &always {always_on: {}}
instrumentation/development:
  python:
    declarative:
"""
INLINE = """      specs:
        - instrument: 2
          name: shop
          spans:
            checkout:
              around: ${TARGET:-shop:checkout}
              attributes: {shop.inline: "len(lines)"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "my.yaml").write_text(SPEC)
    return tmp_path


def configured(folder: Path, options: str, **environment: str) -> ProcessResult:
    (folder / "otel.yaml").write_text(CONFIG + options)
    return with_file(folder, **environment)


def with_file(folder: Path, **environment: str) -> ProcessResult:
    done = run(folder / "app.py", OTEL_CONFIG_FILE="otel.yaml", **environment)
    # The SDK logs this at every start under opentelemetry-instrument.
    ours = [line for line in done.errors.splitlines() if "ignoring configurator kwargs" not in line]
    return replace(done, errors="\n".join(ours))


# ── The configuration file, under the real command ──


def test_the_configuration_file_lists_spec_files(folder: Path):
    done = configured(folder, "      specs: [my.yaml]\n")
    assert (done.code, done.lines, done.errors) == (0, ["checked out 1"], "")
    (span,) = done.named("checkout")
    assert span["attributes"] == {"shop.lines": 1}


def test_an_inline_spec_of_the_configuration_file_can_refer_to_variables(folder: Path):
    done = configured(folder, INLINE)
    assert (done.errors, [span["attributes"] for span in done.spans]) == ("", [{"shop.inline": 1}])
    done = configured(folder, INLINE, TARGET="shop:nothing")
    assert done.spans == []
    assert "has no nothing" not in done.errors  # the value of the variable is not shown
    message = 'error[target-missing]: the value of "${TARGET:-shop:checkout}" is not valid here'
    assert f"otel.yaml:15:23: {message}" in done.errors


def test_a_problem_in_an_inline_spec_is_reported_at_its_line_of_the_configuration_file(folder: Path):
    done = configured(folder, INLINE.replace("attributes:", "atributes:"))
    assert (done.code, done.lines, done.spans) == (0, ["checked out 1"], [])
    assert 'otel.yaml:16:15: error[unknown-key]: "atributes" is not a key of a span' in done.errors
    assert '16 |               atributes: {shop.inline: "len(lines)"}' in done.errors
    assert 'help: did you mean "attributes"?' in done.errors


def test_invalid_options_of_the_configuration_file_are_reported_and_the_others_apply(folder: Path):
    done = configured(folder, "      specs: [my.yaml, 5]\n      contnt: full\n      watch: perhaps\n")
    assert (done.code, done.lines, len(done.spans)) == (0, ["checked out 1"], 1)
    assert 'otel.yaml:11:7: error[unknown-key]: "contnt" is not an option of the instrumentor' in done.errors
    assert 'did you mean "content"?' in done.errors
    assert (
        'otel.yaml:12:14: error[wrong-value]: "perhaps" is not a valid value of "watch": specs are not watched'
        in done.errors
    )
    assert 'otel.yaml:10:24: error[wrong-value]: "5" is not a spec' in done.errors
    assert done.errors.endswith("3 problems: the other options apply; the program is not affected.")
    assert "Traceback" not in done.errors


def test_the_instrumentor_can_be_disabled_in_the_configuration_file(folder: Path):
    done = configured(folder, "      enabled: false\n      specs: [my.yaml]\n")
    assert (done.code, done.lines, done.errors, done.spans) == (0, ["checked out 1"], "", [])


def test_content_can_be_set_in_the_configuration_file(folder: Path):
    options = "      specs: [my.yaml]\n      capture_message_content: SPAN_ONLY\n      content: truncate:2\n"
    (span,) = configured(folder, options).spans
    assert span["attributes"]["shop.first"].startswith("te")
    # OpenTelemetry's own variable also applies if there is a configuration file.
    options = "      specs: [my.yaml]\n"
    (span,) = configured(folder, options, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY").spans
    assert span["attributes"]["shop.first"] == "tea"


def test_variables_are_ignored_if_there_is_a_configuration_file_which_is_reported(folder: Path):
    done = configured(folder, "      content: full\n", OTEL_PYTHON_DECLARATIVE_SPECS="my.yaml")
    assert done.spans == []
    assert done.errors == (
        "OTEL_PYTHON_DECLARATIVE_SPECS is ignored because OTEL_CONFIG_FILE is set. Write specs: "
        "${OTEL_PYTHON_DECLARATIVE_SPECS} under instrumentation/development: python: declarative in that file."
    )
    (folder / "other.yaml").write_text(SPEC)
    done = configured(
        folder, "      specs: ${OTEL_PYTHON_DECLARATIVE_SPECS}\n", OTEL_PYTHON_DECLARATIVE_SPECS="my.yaml, other.yaml"
    )
    assert (done.errors, len(done.spans)) == ("", 2)


def test_shipped_specs_are_active_if_the_configuration_file_has_no_section_for_them(folder: Path):
    (folder / "otel.yaml").write_text(CONFIG.partition("instrumentation/development")[0])
    done = with_file(folder)
    assert (done.code, done.lines, done.errors, done.spans) == (0, ["checked out 1"], "", [])


def test_the_configuration_file_is_read_without_opentelemetrys_support_for_it(
    folder: Path, make_module, tracing, monkeypatch: pytest.MonkeyPatch, logged
):
    shop = make_module(SHOP)
    (folder / "otel.yaml").write_text(CONFIG + INLINE.replace("shop:checkout", f"{shop.__name__}:checkout"))
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(folder / "otel.yaml"))
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider)
    try:
        shop.checkout("ab")
    finally:
        instrumentor.uninstrument()
    assert (tracing.span.attributes, logged()) == ({"shop.inline": 2}, [])


def test_a_configuration_file_that_cannot_be_read_is_reported(
    folder: Path, tracing, monkeypatch: pytest.MonkeyPatch, logged
):
    (folder / "otel.yaml").write_text("a: [")
    for file, words in (("gone.yaml", "gone.yaml:1:1: error[unreadable-file]"), ("otel.yaml", "error[yaml-syntax]")):
        monkeypatch.setenv("OTEL_CONFIG_FILE", str(folder / file))
        instrumentor = DeclarativeInstrumentor()
        instrumentor.instrument(tracer_provider=tracing.provider)
        instrumentor.uninstrument()
        assert words in logged()[-1]
        assert logged()[-1].endswith(
            "1 problem: none of the options in the configuration file apply; the program is not affected."
        )


def test_explain_describes_an_inline_spec(
    folder: Path, make_module, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logged
):
    shop = make_module(SHOP)
    target = f"{shop.__name__}:checkout"
    (folder / "otel.yaml").write_text(CONFIG + INLINE.replace("shop:checkout", target))
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(folder / "otel.yaml"))
    assert main(["explain", "--source", target]) == 0
    assert "# otel.yaml:14  span checkout starts" in capsys.readouterr().out
    assert logged() == []


def test_explain_reports_an_invalid_inline_spec_and_describes_the_others(
    folder: Path, make_module, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shop = make_module(SHOP)
    inline = INLINE.replace("attributes:", "atributes:") + "        - good.yaml\n"
    (folder / "otel.yaml").write_text(CONFIG + inline)
    (folder / "good.yaml").write_text(SPEC.replace("shop:checkout", f"{shop.__name__}:checkout"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OTEL_CONFIG_FILE", "otel.yaml")
    assert main(["explain"]) == 1
    shown = capsys.readouterr().out
    assert "otel.yaml: inactive: it has problems" in shown
    assert 'otel.yaml:16:15: error[unknown-key]: "atributes" is not a key of a span' in shown
    assert "shop (good.yaml)" in shown
    assert main(["explain", f"{shop.__name__}:checkout"]) == 1
    captured = capsys.readouterr()
    assert 'error[unknown-key]: "atributes"' in captured.err
    assert "span checkout starts" in captured.out


# ── Flags and variables ──


def test_a_variable_of_the_run_command_with_an_invalid_value_is_ignored(monkeypatch: pytest.MonkeyPatch, logged):
    for value in ("{", "[]", '{"spec": 1}', '{"specs": 1}'):
        monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_RUN_FLAGS", value)
        assert read_settings().specs == ()
    assert (
        logged()
        == ["OTEL_PYTHON_DECLARATIVE_RUN_FLAGS is ignored: its value is invalid. Only `instrument run` should set it."]
        * 4
    )


def test_each_variable_of_this_package_is_a_flag_of_opentelemetry_instrument():
    shown = subprocess.run(
        [str(COMMAND), "--help"],
        env={"PYTHONPATH": str(SOURCE), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # The file of the exporter `jsonl` is not an option of the instrumentor.
    ours = [*(option.variable for option in OPTIONS if not option.is_standard), "OTEL_PYTHON_DECLARATIVE_SPANS_FILE"]
    flags = [name.removeprefix("OTEL_PYTHON_").lower() for name in ours]
    assert len(flags) >= 3
    assert set(re.findall(r"--(declarative_\w+)", shown)) == set(flags)


def test_the_flags_of_opentelemetry_instrument_apply(folder: Path):
    flags = ["--declarative_specs", "my.yaml", "--declarative_content", "truncate:2", "--declarative_watch", "1"]
    watching = f"{THREAD_NAME!r} in [thread.name for thread in threading.enumerate()]"
    app = f"import threading, shop\nprint(shop.checkout(['tea']), {watching})\n"
    (folder / "app.py").write_text(app)
    done = subprocess.run(
        [str(COMMAND), *flags, sys.executable, "app.py"],
        cwd=folder,
        env={
            "PYTHONPATH": str(SOURCE),
            "OTEL_TRACES_EXPORTER": "console",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert (done.stderr, "1 True" in done.stdout) == ("", True)
    assert re.search(r'"shop.first": "te\b', done.stdout)


# ── Python ──


def test_a_spec_can_be_passed_in_python_as_a_dict(make_module, tracing, logged):
    module = make_module("def f(a): return a")
    spec = {"instrument": 2, "name": "t", "spans": {"f": {"around": f"{module.__name__}:f", "attributes": {"a": "a"}}}}
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider, specs=spec)
    try:
        module.f("$$ ${HOME}")  # references are not substituted, neither in a value nor in a dict
    finally:
        instrumentor.uninstrument()
    assert (tracing.span.attributes, logged()) == ({"a": "$$ ${HOME}"}, [])


def test_a_problem_in_a_dict_is_shown_with_its_line(tracing, logged):
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(
        tracer_provider=tracing.provider, specs=[{"instrument": 2, "name": "t", "spanns": {}}], contnt="full"
    )
    instrumentor.uninstrument()
    assert logged() == [
        "contnt is not an option of instrument(): it is ignored. Did you mean content?",
        'specs[0]:4:3: error[unknown-key]: "spanns" is not a key of a spec\n'
        '  4 |   "spanns": {}\n    |   ^^^^^^^^\n  help: did you mean "spans"?\n'
        "1 problem: this spec is left out; the program is not affected.",
    ]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_python_overrides_the_file_and_the_file_overrides_the_environment(
    option, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged
):
    by_name: dict[str, list[str]] = {
        "specs": ["a.yaml", "b.yaml", "c.yaml"],
        "content": ["truncate:1", "truncate:2", "truncate:3"],
        "capture_message_content": ["SPAN_ONLY", "NO_CONTENT", "SPAN_ONLY"],
        "watch": ["1", "0", "1"],
        "report": ["a.txt", "b.txt", "c.txt"],
        "report_signal": ["SIGUSR2", "none", "SIGHUP"],
        "flush_on_signal": ["0", "1", "0"],
        "light_spans": ["0", "1", "0"],
        "status": ["1", "0", "1"],
        "pending_after": ["1.5", "2.0", "3.0"],
    }
    if option.name not in by_name:
        pytest.skip("has other tests")
    variable, in_file, in_python = by_name[option.name]

    def found(**given: Any) -> Any:
        given = {"capture_message_content": "SPAN_ONLY", **given} if option.name == "content" else given
        made = read_settings(**given)
        return {
            "specs": lambda: ",".join(made.specs),
            "content": lambda: f"truncate:{made.content.max_length}",
            "capture_message_content": lambda: "SPAN_ONLY" if made.content.recorded else "NO_CONTENT",
            "watch": lambda: str(int(made.watch)),
            "report": lambda: made.report,
            "report_signal": lambda: made.report_signal,
            "flush_on_signal": lambda: str(int(made.flush_on_signal)),
            "light_spans": lambda: str(int(made.light_spans)),
            "status": lambda: str(int(made.status)),
            "pending_after": lambda: str(made.pending_after),
        }[option.name]()

    monkeypatch.setenv(option.variable, variable)
    assert found() == variable
    assert found(**{option.name: in_python}) == in_python
    file = tmp_path / "otel.yaml"
    way = "instrumentation/development: {python: {declarative: {%s}}}"
    file.write_text(way % f"{option.name}: {in_file}")
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(file))
    assert found() == in_file
    assert found(**{option.name: in_python}) == in_python
    assert [words for words in logged() if "is ignored" not in words] == []


# ── The documentation ──


def test_the_page_describes_each_option_as_the_code_does():
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*) \| (.*) \|$", PAGE, re.M)
    assert [(name, variable) for name, variable, _, _ in rows] == [(each.name, each.variable) for each in OPTIONS]
    assert [default for *_, default in rows] == [
        each.default if each.default == "none" else f"`{each.default}`" for each in OPTIONS
    ]
    assert [description for _, _, description, _ in rows] == [each.description for each in OPTIONS]
