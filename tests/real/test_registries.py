"""Functions that others hold and call: registries, schedulers, handlers, validators and mocks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.real.command_lines import CommandLine, lines
from tests.real.programs import check, needs

pytestmark = [
    needs("apscheduler", "attrs"),
    pytest.mark.skipif(sys.platform == "win32", reason="it sends itself SIGUSR1"),
]


@pytest.fixture
def program(tmp_path: Path) -> CommandLine:
    return CommandLine("registries", tmp_path)


def test_the_spec_has_no_problem(program: CommandLine):
    assert check(program.folder).endswith("exit code 0")


def test_functions_that_others_hold_are_traced(program: CommandLine):
    run = program.run("python", "-m", "jobs")
    assert run.tree() == lines("""
        subclass jobs.name=json
        with_registries
          csv jobs.rows=[1, 2] jobs.result=1,2
          json jobs.rows=[1] jobs.result=[1]
          show jobs.value=a jobs.result=value a
          show jobs.value=1 jobs.result=number 1
            show_number jobs.value=1
          show jobs.value=[1] jobs.result=list of 1
            show_list jobs.value=[1]
          slow jobs.number=2 jobs.result=4
          slow jobs.number=2 jobs.result=4
          key_of_all jobs.result=all
            key_of jobs.word=ALL
          count jobs.step=2 jobs.count=2
          count jobs.step=3 jobs.count=5
          run jobs.result=Csv of rows
            rows
          run jobs.result=Json of base
            base
          key_of jobs.word=B
          key_of jobs.word=a
          load
        with_schedulers
          run_later jobs.name=sched
        run_later jobs.name=timer
        run_later jobs.name=apscheduler
        with_signals
          on_signal jobs.signal=10
        with_cleanups
          release jobs.name=stack
          release jobs.name=finalizer
        with_models
          init jobs.amount=2 jobs.total=4
            post_init jobs.amount=2
          to_cents jobs.value=1.5 jobs.result=150
          check_currency jobs.value=EUR
          attrs_post_init
            prepare
          to_cents jobs.value=1 jobs.result=100
          check_currency jobs.value=X ! ValueError: currency
          check_name jobs.value=root ! ValueError: not allowed
          check_name jobs.value= ann
            strip jobs.value= ann
          post
            joined
          check_all jobs.name=ann
          hide jobs.mail=a@b
          short jobs.short=a
          check_name jobs.value=bob
            strip jobs.value=bob
          post
            joined
          check_all jobs.name=bob
          short jobs.short=b
          missing jobs.value=7
          hex jobs.hex=#f00
          init jobs.amount=1 jobs.total=2
            post_init jobs.amount=1
          init jobs.amount=1 jobs.total=2
            post_init jobs.amount=1
          equal
        with_mock
          run jobs.result=Json of patched True
          load
          load
          run jobs.result=Json of base
            base
        goodbye
        """)
