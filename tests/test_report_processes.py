"""Each process writes its own report, when it ends and on a signal; the program is not affected."""

import json
import multiprocessing
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.programs import both_ways, run

DEMO = Path(__file__).parents[1] / "docs" / "demo"
posix = pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there, and there is no SIGUSR1")


def reports(folder: Path, pattern: str = "report*.json") -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(folder.glob(pattern))]


def emitted(report: dict[str, Any]) -> dict[str, int]:
    """The rules of the listed spec that have emitted, and how often."""
    (shop,) = (spec for spec in report["specs"] if spec["name"] == "shop")
    return {rule["rule"]: rule["emitted"] for rule in shop["rules"] if rule["emitted"]}


def test_an_ag2_program_under_opentelemetry_instrument_is_reported_and_not_affected(tmp_path: Path):
    file = tmp_path / "report.json"
    plain = processes.run(DEMO / "app.py")
    done = processes.run(DEMO / "app.py", OTEL_PYTHON_DECLARATIVE_REPORT=str(file))
    assert (done.code, done.lines, done.errors) == (plain.code, plain.lines, plain.errors)
    shape = sorted(span["name"] for span in plain.spans)
    assert sorted(span["name"] for span in done.spans) == shape
    report = json.loads(file.read_text())
    assert (report["program"], report["why"]) == ("app.py", "at exit")
    (ag2,) = (spec for spec in report["specs"] if spec["state"] == "active")
    assert (ag2["name"], ag2["ended_early"]) == ("ag2", {})
    rules = [rule for rule in ag2["rules"] if not rule["rule"].startswith("hook ")]
    assert len(rules) > 40
    spans = sum(rule["emitted"] for rule in rules if re.fullmatch(r"span \w+( ends)?", rule["rule"]))
    assert spans == len(shape)
    for rule in rules:
        # AG2 imports its transport between processes only where `websockets` is installed, and its servers on request.
        modules = {target.partition(":")[0] for target in rule["callables"]}
        optional = modules <= {"ag2.network.transport.ws", "ag2.ag_ui.stream", "ag2.a2a.executor"}
        absent = optional and rule["why"] == [f"{module} was not imported" for module in modules]
        assert rule["state"] == "installed" or absent
        assert (rule["matched"] == 0) == bool(rule["why"]), rule
        assert rule["failures"] == 0
    never = {rule["rule"]: rule["why"] for rule in rules if not rule["matched"]}
    assert never["span human_input starts"] == ["ag2.middleware.base:BaseMiddleware.on_human_input was not called"]
    assert "the `when` of the hook dispatch_failed (ag2.yaml:" in never["event dispatch_failed"][0]


def test_without_a_report_a_process_imports_nothing_of_it(tmp_path: Path):
    app = tmp_path / "app.py"
    app.write_text(
        "import ag2.network, sys\n"
        "print(sorted(name for name in sys.modules if '.declarative.report' in name or name.endswith('.rule_stats')))\n"
    )
    assert processes.run(app).lines == ["[]"]
    there = processes.run(app, OTEL_PYTHON_DECLARATIVE_REPORT="-").lines
    assert "opentelemetry.instrumentation.declarative.runtime.rule_stats" in there[0]


def test_a_library_that_is_never_imported_and_a_spec_with_an_error_are_reported(tmp_path: Path):
    (tmp_path / "app.py").write_text("print('done')\n")
    (tmp_path / "wrong.yaml").write_text("instrument: 2\nname: wrong\nspans: {a: {arround: 'm:f'}}\n")
    (tmp_path / "away.yaml").write_text("instrument: 2\nname: away\nspans: {a: {around: 'not.here:f'}}\n")
    done = processes.run(
        tmp_path / "app.py",
        OTEL_PYTHON_DECLARATIVE_REPORT="-",
        OTEL_PYTHON_DECLARATIVE_SPECS="wrong.yaml,away.yaml,ag2_metrics",
    )
    assert (done.code, done.lines) == (0, ["done"])
    assert re.search(r"ag2 \(.*ag2\.yaml\): waiting\n  ag2 or autogen\.beta was not imported\n", done.errors)
    assert "mcp" not in done.errors
    assert 'wrong.yaml (wrong.yaml): left out\n  wrong.yaml:3:13: error[unknown-key]: "arround" is not' in done.errors
    assert "    not.here was not imported\n      away.yaml:3  span a starts\n" in done.errors


def test_spans_that_are_open_at_exit_are_reported_with_what_ended_them(tmp_path: Path):
    file = tmp_path / "report.txt"
    done = both_ways(tmp_path, "shop.begin('left')", OTEL_PYTHON_DECLARATIVE_REPORT=str(file))
    assert done.ends() == {"left": "shutdown"}
    assert "  ended early\n    span order: shutdown (1)\n" in file.read_text()


def test_the_example_in_the_documentation_is_reported_as_shown(tmp_path: Path):
    page = (DEMO.parent / "report.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.S)
    (spec,) = (text for kind, text in blocks if kind == "yaml")
    shop, app = (text for kind, text in blocks if kind == "python")
    report = next(text for kind, text in blocks if kind == "text")
    for name, text in (("my.yaml", spec), ("shop.py", shop), ("app.py", app)):
        (tmp_path / name).write_text(text)
    done = processes.run(
        tmp_path / "app.py", OTEL_PYTHON_DECLARATIVE_REPORT="-", OTEL_PYTHON_DECLARATIVE_SPECS="my.yaml"
    )
    assert f"\n\n{report}" in done.errors


@posix
def test_a_forked_child_reports_its_own_counts_in_its_own_file(tmp_path: Path):
    source = """
    import os, sys
    shop.work(id=1)
    shop.work(id=2)
    pid = os.fork()
    if pid == 0:
        shop.work(id=3)
        sys.exit(0)
    os.waitpid(pid, 0)
    """
    both_ways(tmp_path, source, OTEL_PYTHON_DECLARATIVE_REPORT=str(tmp_path / "report.json"))
    child, parent = sorted(reports(tmp_path), key=lambda report: -report["pid"])
    assert emitted(parent) == {"span work starts": 2, "span work ends": 2}
    assert emitted(child) == {"span work starts": 1, "span work ends": 1}
    assert {file.name for file in tmp_path.glob("report*")} == {"report.json", f"report.{child['pid']}.json"}


@processes.needs_instrumented_children
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_each_child_of_multiprocessing_has_its_own_report_and_its_helpers_have_none(method: str, tmp_path: Path):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{method} is not available")
    (tmp_path / "app.py").write_text(
        "import multiprocessing, shop\n"
        "def task(id):\n"
        "    shop.work(id=id)\n"
        "    shop.begin(id)\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        "    shop.work(id=0)\n"
        "    for id in (1, 2):\n"
        "        child = context.Process(target=task, args=(id,))\n"
        "        child.start()\n"
        "        child.join()\n"
        "        print(child.exitcode)\n"
    )
    shop = Path(__file__).parent / "programs"
    done = processes.run(
        tmp_path / "app.py",
        paths=[shop],
        OTEL_PYTHON_DECLARATIVE_REPORT=str(tmp_path / "report.json"),
        OTEL_PYTHON_DECLARATIVE_SPECS=str(shop / "spec.yaml"),
    )
    assert (done.code, done.lines, done.errors) == (0, ["0", "0"], "")
    (parent,) = reports(tmp_path, "report.json")
    assert emitted(parent) == {"span work starts": 1, "span work ends": 1}
    children = reports(tmp_path, "report.*.json")
    assert [emitted(child) for child in children] == [
        {"span order starts": 1, "span work starts": 1, "span work ends": 1}
    ] * 2
    ended_early = [spec["ended_early"] for child in children for spec in child["specs"] if spec["name"] == "shop"]
    assert ended_early == [{"order": {"shutdown": 1}}] * 2


@processes.needs_instrumented_children
def test_a_program_started_by_another_does_not_overwrite_its_report(tmp_path: Path):
    (tmp_path / "child.py").write_text("import shop\nshop.work(id=1)\n")
    (tmp_path / "app.py").write_text(
        "import shop, subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], check=True)\nshop.inner(id=1)\n"
    )
    shop = Path(__file__).parent / "programs"
    for name in ("report.json", "report.{pid}.json"):
        done = processes.run(
            tmp_path / "app.py",
            paths=[shop],
            OTEL_PYTHON_DECLARATIVE_REPORT=str(tmp_path / name),
            OTEL_PYTHON_DECLARATIVE_SPECS=str(shop / "spec.yaml"),
        )
        assert (done.code, done.errors) == (0, "")
        found = {report["program"]: emitted(report) for report in reports(tmp_path)}
        assert found["app.py"] == {"span inner starts": 1, "span inner ends": 1}
        assert found["child.py"] == {"span work starts": 1, "span work ends": 1}
        for file in tmp_path.glob("report*.json"):
            pid = json.loads(file.read_text())["pid"]
            assert file.name in ("report.json", f"report.{pid}.json")
            file.unlink()


SIGNALLED = """
import os, signal, sys, time
shop.work(id=1)
os.kill(os.getpid(), signal.{name})
while not os.path.exists({file!r}):
    time.sleep(0.01)
print("still here")
shop.work(id=2)
os.rename({file!r}, {file!r} + ".first")
"""


@posix
@pytest.mark.parametrize(("name", "setting"), [("SIGUSR1", ""), ("SIGUSR2", "usr2"), ("SIGALRM", "SIGALRM")])
def test_on_a_signal_a_running_process_writes_the_counts_so_far(name: str, setting: str, tmp_path: Path):
    file = tmp_path / "report.json"
    source = SIGNALLED.format(name=name, file=str(file))
    where = {"OTEL_PYTHON_DECLARATIVE_REPORT": str(file), "OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL": setting}
    done = run(tmp_path, source, **where)
    assert (done.code, done.lines, done.errors) == (0, ["still here"], "")
    (first,) = reports(tmp_path, "report.json.first")
    (last,) = reports(tmp_path, "report.json")
    assert (first["why"], last["why"]) == (f"on {name}", "at exit")
    assert (emitted(first)["span work starts"], emitted(last)["span work starts"]) == (1, 2)
    assert [file.name for file in tmp_path.glob("*.tmp")] == []


@posix
def test_a_signal_that_interrupts_counting_neither_deadlocks_nor_loses_a_count(tmp_path: Path):
    source = """
    import os, signal, threading
    def shoot():
        while not over.is_set():
            os.kill(os.getpid(), signal.SIGUSR1)
            over.wait(0.002)
    over = threading.Event()
    shooter = threading.Thread(target=shoot)
    shooter.start()
    for id in range(3000):
        shop.work(id=id)
        threading.Thread(target=int).start()
    over.set()
    shooter.join()
    """
    file = tmp_path / "report.json"
    done = run(tmp_path, source, traced="before batched", OTEL_PYTHON_DECLARATIVE_REPORT=str(file))
    assert (done.code, done.errors) == (0, "")
    (report,) = reports(tmp_path)
    assert emitted(report) == {"span work starts": 3000, "span work ends": 3000}


@posix
def test_a_handler_of_the_application_stays_whenever_it_was_set(tmp_path: Path):
    app = """
    import os, signal
    signal.signal(signal.SIGUSR1, lambda *_: print("mine"))
    {on}
    signal.signal(signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
    os.kill(os.getpid(), signal.SIGUSR1)
    """
    where = {"OTEL_PYTHON_DECLARATIVE_REPORT": str(tmp_path / "report.json")}
    after = both_ways(tmp_path, app.format(on=""), **where)
    assert after.lines == ["mine"]
    # Uninstrumented, and instrumented again once the program has its handler.
    on = f"from {processes.PACKAGE} import DeclarativeInstrumentor as I\n    "
    on += "I().uninstrument(); I().instrument(specs=[])"
    before = run(tmp_path, app.format(on=on), **where)
    assert (before.code, before.lines) == (0, ["mine"])
    assert "no report is written on the signal SIGUSR1: the program handles it. " in before.errors


@posix
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("none", ""),
        (
            "SIGNONSENSE",
            "no report is written on the signal SIGNONSENSE: there is no such signal on this platform. Set ",
        ),
        ("kill", "no report is written on the signal SIGKILL: "),
    ],
)
def test_a_signal_that_is_not_available_is_logged_and_none_is_handled(setting: str, message: str, tmp_path: Path):
    source = "import signal; print(signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL)"
    where = {"OTEL_PYTHON_DECLARATIVE_REPORT": "-", "OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL": setting}
    done = run(tmp_path, source, **where)
    assert (done.code, done.lines) == (0, ["True"])
    assert (message in done.errors) and (message or "no report is written" not in done.errors)


def test_a_report_that_cannot_be_written_is_logged_once_and_the_program_is_not_affected(tmp_path: Path):
    file = tmp_path / "nowhere" / "report.json"
    done = run(tmp_path, "shop.work(id=1); print('done')", OTEL_PYTHON_DECLARATIVE_REPORT=str(file))
    assert (done.code, done.lines) == (0, ["done"])
    message = f"the report cannot be written to {file}: there is no folder {file.parent}. Create it, or use another."
    assert done.errors.strip() == message
    assert not file.parent.exists()


@posix
def test_only_regular_files_are_replaced(tmp_path: Path):
    pipe, link, real = tmp_path / "pipe", tmp_path / "link.json", tmp_path / "real.json"
    os.mkfifo(pipe)
    link.symlink_to(real)
    done = run(tmp_path, "shop.work(id=1)", OTEL_PYTHON_DECLARATIVE_REPORT=str(pipe))
    assert (done.code, pipe.is_fifo()) == (0, True)
    assert f"the report cannot be written to {pipe}: " in done.errors  # without a reader, and without waiting for one
    done = run(tmp_path, "shop.work(id=1)", OTEL_PYTHON_DECLARATIVE_REPORT=str(link))
    assert (done.errors, link.is_symlink()) == ("", True)
    assert emitted(json.loads(real.read_text()))["span work starts"] == 1


def test_a_relative_path_is_resolved_at_the_start(tmp_path: Path):
    (tmp_path / "other").mkdir()
    run(tmp_path, "import os; os.chdir('other')", OTEL_PYTHON_DECLARATIVE_REPORT="report.json")
    assert (tmp_path / "report.json").exists()


def test_uninstrumenting_writes_the_report_and_restores_signal_and_setting(tmp_path: Path):
    file = tmp_path / "report.txt"
    source = """
    import os, signal
    from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
    shop.work(id=1)
    DeclarativeInstrumentor().uninstrument()
    shop.work(id=2)
    print(os.environ["OTEL_PYTHON_DECLARATIVE_REPORT"], signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL)
    """
    done = run(tmp_path, source, OTEL_PYTHON_DECLARATIVE_REPORT=str(file))
    assert (done.code, done.lines) == (0, [f"{file} True"])
    report = file.read_text()
    assert "· after uninstrument() ·" in report
    assert re.search(r"span work starts\s+installed\s+1\s+1\n", report)


@posix
def test_a_signal_can_come_from_another_process(tmp_path: Path):
    file = tmp_path / "report.json"
    source = f"""
    import os, time
    print("ready")
    while not os.path.exists({str(file)!r}):
        time.sleep(0.01)
    os.rename({str(file)!r}, {str(file) + ".first"!r})
    """
    done = run(tmp_path, source, send=signal.SIGUSR1, OTEL_PYTHON_DECLARATIVE_REPORT=str(file))
    assert (done.code, done.errors) == (0, "")
    assert reports(tmp_path, "report.json.first")[0]["why"] == "on SIGUSR1"
