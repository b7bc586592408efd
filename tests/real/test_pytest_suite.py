"""A test suite: tests, fixtures, hooks and helpers, in modules that pytest rewrites."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.command_lines import CommandLine, lines
from tests.real.programs import check


@pytest.fixture
def program(tmp_path: Path) -> CommandLine:
    return CommandLine("pytest_suite", tmp_path)


def test_the_spec_has_no_problem(program: CommandLine):
    assert check(program.folder).endswith("exit code 0")


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_tests_and_fixtures_are_traced_with_each_way_to_import_them(mode: str, program: CommandLine):
    options = ["-q", "-p", "plugin_of_suite", "-p", "no:cacheprovider", "--tb=line", f"--import-mode={mode}"]
    run = program.run("pytest", *options)
    assert run.code == 1
    assert run.tree() == lines("""
        sort suite.items=9
        connect
        run test_case
        setup
        TestCase.test_case
          add suite.article=tea
          total suite.total=1
          add suite.article=tea
          total suite.total=2
        prepare
        run test_method
        TestClass.test_method
          total suite.total=0
        run test_mock
        test_mock
          rounded suite.value=3.333 suite.rounded=3.33
        run test_monkeypatch
        test_monkeypatch
        run test_raises
        test_raises
          add suite.article=tea
          total ! TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'
        run test_rounding[1.234-1.23]
        test_rounding
          check suite.expected=1.23
            rounded suite.value=1.234 suite.rounded=1.23
        run test_rounding[1.239-1.24]
        test_rounding
          check suite.expected=1.24
            rounded suite.value=1.239 suite.rounded=1.24
        fixture
          fill
            add suite.article=tea
        currency suite.currency=EUR
        run test_total
        test_total
          add suite.article=cake
          assert suite.expected=6.5
            total suite.total=6.5
        fixture
          fill
            add suite.article=tea
        run test_wrong_total ! AssertionError: assert 2.5 == 7
        test_wrong_total ! AssertionError: assert 2.5 == 7
          assert suite.expected=7 ! AssertionError: assert 2.5 == 7
            total suite.total=2.5
        disconnect
        """)
