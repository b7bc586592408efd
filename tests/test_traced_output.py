"""The output of pytest for tests that use the fixture `traced`, and what pytest loads for it."""

import importlib.util
import os
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.testing import Traced

from . import processes
from .processes import PACKAGE

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
FILES = {name: text for text, name in re.findall(r"```(?:python|yaml)\n(# (\S+)\n.*?)```", PAGE, re.S)}
SHOWN = re.findall(r"```text\n(.*?)```", PAGE, re.S)


@pytest.fixture
def everything_imported(traced: Traced) -> None:
    """Import everything that a run imports: pytester removes what a run imports first, and yaml fails the next time."""
    with traced("instrument: 2\nname: any\nspans: {dedent: {around: 'textwrap:dedent', attributes: {text: text}}}"):
        textwrap.dedent("")


@pytest.fixture
def run(everything_imported: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs pytest on the files of the page, some of them changed: in this process, or in a process of its own."""
    monkeypatch.delenv("CI", raising=False)  # pytest does not truncate long comparisons there
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(processes.SOURCE), os.environ.get("PYTHONPATH", "")]))

    def run_files(*options: str, in_process: bool = True, **files: str) -> str:
        pytester.makeini("[pytest]\npythonpath = .\nfilterwarnings = error\n")
        for name, text in {**FILES, **{name.replace("__", "."): text for name, text in files.items()}}.items():
            (pytester.path / name).write_text(text, encoding="utf-8")
        run_pytest = pytester.runpytest_inprocess if in_process else pytester.runpytest_subprocess
        # At its end, the plugin of hypothesis would import all of hypothesis.
        done = run_pytest("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *options)
        assert done.stderr.str() == ""
        return done.stdout.str()

    return run_files


def outcomes(output: str) -> str:
    return re.sub(r" in [\d.]+s.*", "", output.splitlines()[-1].strip("= "))


def test_the_examples_of_the_page_are_true(run):
    difference, report = SHOWN
    assert outcomes(run(in_process=False)) == "2 passed"
    failed = run(shop__yaml=FILES["shop.yaml"].replace("result.total", "result.totl"))
    assert outcomes(failed) == "1 failed, 1 passed"
    assert difference in failed
    assert "Full output truncated" not in failed
    failed = run(shop__yaml=FILES["shop.yaml"].replace("Cart.checkout", "Cart.check_out"))
    assert outcomes(failed) == "2 failed"
    for test in ("test_a_checkout_is_traced_with_its_payment", "test_a_declined_payment_is_an_error_of_the_checkout"):
        # A heading and the report, without a traceback or further log messages.
        assert re.search(rf"_+ {test} _+\n{re.escape(report)}[_=]", failed)


FAILING = '''
from shop import pay

def test_long(traced):
    with traced("shop.yaml") as trace:
        for amount in range(1, 13):
            pay(amount)
    wrong = "".join(f"pay {amount}\\n  shop.amount={amount}\\n" for amount in range(1, 13))
    assert wrong == trace.tree, "a message"

def test_unreadable(traced):
    with traced("shop.yaml") as trace:
        pay(1)
    assert trace.tree == """
        payment (client)
            shop.amount=1
          ! late
        """

def test_noted(traced):
    with traced("shop.yaml") as trace:
        pay("letters")

def test_other(traced):
    assert [1] == [2]
'''


def test_a_failure_is_shown_completely_and_at_the_line_of_the_test(run):
    output = run(
        test_shop__py=FAILING, shop__yaml=FILES["shop.yaml"].replace("{shop.amount: amount}", "{shop.amount: -amount}")
    )
    assert outcomes(output) == "4 failed"
    parts = dict(zip(*[iter(re.split(r"\n_+ (test_\w+) _+\n", output)[1:])] * 2, strict=True))
    lines = [line for line in parts["test_long"].splitlines() if line.startswith("E")]
    assert lines[:5] == [
        "E       AssertionError: a message",
        "E       assert recorded tree == expected tree (- expected, + recorded)",
        "E         - pay 1",
        "E         -   shop.amount=1",
        "E         - pay 2",
    ]
    assert lines[-2:] == ["E         + payment (client)", "E         +   shop.amount=-12"]
    assert len(lines) == 2 + 48
    assert (
        f"E       {PACKAGE}.testing.tree_text.TreeSyntaxError: the expected tree is invalid: its line 4, `! late`, is "
        "not aligned with any line above it. Align it with one of them."
    ) in parts["test_unreadable"].splitlines()
    assert "tree_text.py" not in parts["test_unreadable"]
    assert "TypeError: '>' not supported between instances of 'str' and 'int'" in parts["test_noted"]
    (noted,) = re.findall(r"-+ Captured from specs call -+\n(.*)", parts["test_noted"])
    assert noted.startswith("shop.yaml:14:31: span payment starts failed: TypeError: ")
    assert "assert [1] == [2]" in parts["test_other"]


SNAPSHOTS = """
import pytest
from shop import Cart, pay

@pytest.mark.parametrize("amount", [1, 2])
def test_pay(traced, amount):
    with traced("shop.yaml") as trace:
        pay(amount)
    trace.matches_snapshot()

class TestCart:
    def test_two(self, traced):
        for number in (1, 2):
            with traced("shop.yaml") as trace:
                Cart("gold", *range(number)).checkout()
            trace.matches_snapshot(f"n {number}")

def test_twice(traced):
    with traced("shop.yaml") as trace:
        pay(1)
    trace.matches_snapshot()
    with pytest.raises(ValueError, match="test_twice.tree has already been compared in this test"):
        trace.matches_snapshot()
"""


def test_snapshots_are_written_only_on_request_and_otherwise_compared(run, pytester: pytest.Pytester):
    place = pytester.path / "__snapshots__" / "test_shop"
    missing = run(test_shop__py=SNAPSHOTS)
    assert outcomes(missing) == "4 failed"
    assert "the snapshot __snapshots__/test_shop/test_pay[1].tree does not exist" in missing
    assert not place.exists()
    # In the workers of pytest-xdist.
    workers = ["-n", "2"] if importlib.util.find_spec("xdist") else []
    assert outcomes(run("--update-spans", *workers, test_shop__py=SNAPSHOTS)) == "4 passed"
    names = sorted(file.name for file in place.iterdir())
    assert [re.sub(r"-[0-9a-f]{8}", "-…", name) for name in names] == [
        "TestCart.test_two.n_1-….tree", "TestCart.test_two.n_2-….tree", "test_pay[1].tree", "test_pay[2].tree",
        "test_twice.tree",
    ]  # fmt: skip
    kept = place / "test_pay[2].tree"
    assert kept.read_text() == "payment (client)\n  shop.amount=2\n"
    (place / "test_pay[1].tree").write_text("payment (client)\n  shop.amount=<any>\n")
    kept.write_text("payment (client)\n  shop.amount=3\n")
    differs = run(test_shop__py=SNAPSHOTS)
    assert outcomes(differs) == "1 failed, 3 passed"
    assert (
        """\
E       AssertionError: the trace differs from __snapshots__/test_shop/test_pay[2].tree (- expected, + recorded):
E           payment (client)
E         -   shop.amount=3
E         +   shop.amount=2
E       If this is right, run `pytest --update-spans`.
"""
        in differs
    )
    assert outcomes(run("--update-spans", test_shop__py=SNAPSHOTS)) == "4 passed"
    assert kept.read_text() == "payment (client)\n  shop.amount=2\n"
    assert "<any>" in (place / "test_pay[1].tree").read_text()


WAYS = """
import unittest
import pytest
from shop import Cart, pay

class TestShop(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _fixtures(self, traced):
        self.traced = traced

    def test_unittest(self):
        with self.traced("shop.yaml") as trace:
            Cart("gold").checkout()
        self.assertEqual(trace.span("payment").attributes["shop.amount"], 0)

@pytest.fixture
def anyio_backend(): return "asyncio"

@pytest.mark.anyio
async def test_async(traced):
    with traced("shop.yaml") as trace:
        pay(1)
    assert trace.tree == "payment (client)\\n  shop.amount=1"

def test_left_open(traced):
    traced("shop.yaml").__enter__()

def test_after(traced):
    with traced("shop.yaml") as trace:
        pay(2)
    assert trace.tree == "payment (client)\\n  shop.amount=2"
"""


def test_the_fixture_works_in_every_kind_of_test_and_leaves_nothing_behind(run):
    output = run(test_shop__py=WAYS)
    assert outcomes(output) == "4 passed, 1 error"
    assert "a traced() of this test has not ended: its specs would be active in later tests." in output


def test_nothing_is_loaded_if_the_fixture_is_not_used(run, pytester: pytest.Pytester):
    pytester.makeconftest("""
        import sys
        def pytest_unconfigure():
            print("loaded:", [name for name in sys.modules if name.startswith(("opentelemetry", "yaml"))])
    """)
    output = run("-s", in_process=False, test_shop__py="def test_it(): assert 1 == 1")
    namespaces = ["opentelemetry", "opentelemetry.instrumentation"]
    own = [PACKAGE, *(f"{PACKAGE}.{name}" for name in ("testing", "testing.plugin", "testing.session_messages"))]
    assert f"loaded: {[*namespaces, *own]}" in output


INSTRUMENTED = """
    from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
    DeclarativeInstrumentor().instrument(specs=["wrong.yaml"])
"""
WRONG = "instrument: 2\nname: wrong\nspans: {a: {around: 'shop:missing'}, b: {around: 'shop:Cart.checkot'}}\n"


@pytest.mark.parametrize(
    ("conftest", "options"),
    [
        ("", ()),
        ("", ("-n", "1")),
        ("", ("-p", "no:logging")),
        ("", ("-s",)),
        ("    import shop\n", ()),
    ],
)
def test_messages_of_the_process_are_shown_at_the_end_of_a_run_that_passes(
    conftest: str, options: tuple[str, ...], run, pytester: pytest.Pytester
):
    pytester.makeconftest(INSTRUMENTED + conftest)
    test = "def test_it():\n    import shop\ndef test_again():\n    import shop"
    output = run(*options, in_process=False, wrong__yaml=WRONG, test_shop__py=test)
    assert outcomes(output) == "2 passed"
    _, _, summary = output.partition("messages of instrument")
    assert summary.count("error[target-missing]: shop has no missing") == 1
    assert summary.count("error[target-missing]: shop.Cart has no checkot") == 1


def test_nothing_is_shown_if_there_is_no_message(run):
    assert "messages of instrument" not in run(in_process=False)


def test_without_the_sdk_the_fixture_reports_what_to_install(run, pytester: pytest.Pytester):
    pytester.makeconftest("import sys; sys.modules['opentelemetry.sdk'] = None")
    output = run(in_process=False, test_shop__py="def test_it(traced): pass")
    assert outcomes(output) == "1 error"
    assert "Install opentelemetry-instrumentation-declarative[test]." in output
    assert "Traceback" not in output


def test_a_package_that_is_imported_before_pytest_causes_no_warning(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    pytester.makepyfile(test_it="def test_it(): pass")
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    program = f"import {PACKAGE}, pytest, sys; sys.exit(pytest.main({options}))"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(processes.SOURCE), os.environ.get("PYTHONPATH", "")]))
    done = pytester.run(sys.executable, "-W", "error", "-c", program)
    assert (done.ret, done.stderr.str()) == (0, "")
