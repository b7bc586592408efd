"""Command lines with click, typer and argparse: as processes, and called by their test runners."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.command_lines import CommandLine, lines
from tests.real.programs import check, needs

pytestmark = needs("click", "typer")


@pytest.fixture
def program(tmp_path: Path) -> CommandLine:
    return CommandLine("cli_tools", tmp_path)


def test_the_spec_has_no_problem(program: CommandLine):
    assert check(program.folder).endswith("exit code 0")


def test_commands_that_test_runners_call_are_traced(program: CommandLine):
    run = program.run("python", "run_all.py")
    assert run.tree() == lines("""
        version shop.value=False
        shoptool shop.url=shop:1 shop.verbose=0
        finish shop.results=[]
        goodbye
        version shop.value=True
        version shop.value=False
        shoptool shop.url=shop:1 shop.verbose=0
        check_amount shop.value=2
        convert shop.value=Chair shop.result=chair
        buy shop.article=chair shop.amount=2 shop.result=2
          find shop.article=chair shop.found=<chair>
        list
          show shop.article=chair
            find shop.article=chair shop.found=<chair>
          show shop.article=table
            find shop.article=table shop.found=<table>
        finish shop.results=[2, null]
        goodbye
        version shop.value=False
        shoptool shop.url=shop:1 shop.verbose=0
        convert shop.value=moon shop.result=moon
        check_amount shop.value=1
        buy shop.article=moon shop.amount=1 ! ClickException: out of stock: moon
          find shop.article=moon ! OutOfStock: moon
        goodbye
        version shop.value=False
        shoptool shop.url=shop:1 shop.verbose=0
        check_amount shop.value=0 ! BadParameter: must be positive
        goodbye
        show shop.article=moon ! OutOfStock: moon
          find shop.article=moon ! OutOfStock: moon
        report shop.article=all
          find shop.article=all shop.found=<all>
        common shop.verbose=True
        order shop.article=lamp shop.amount=1
          find shop.article=lamp shop.found=<lamp>
        common shop.verbose=False
        users shop.command=add
        check_name shop.name=Ann
        add_user shop.name=Ann shop.role=admin
        common shop.verbose=False
        users shop.command=add
        check_name ! BadParameter: not allowed
        common shop.verbose=False
        users shop.command=add
        check_name shop.name=Eve
        add_user shop.name=Eve shop.role=guest ! Exit: 3
        common shop.verbose=False
        users
        positive shop.text=3
        sell shop.article=chair
          find shop.article=chair shop.found=<chair>
        upper shop.values=o-1
        refund shop.order=O-1 shop.code=4
        positive shop.text=0 ! ArgumentTypeError: must be positive
        """)


def test_a_command_line_that_is_run_as_a_process_is_traced(program: CommandLine):
    run = program.run("python", "-m", "shoptool", "--url", "shop:2", "buy", "chair", "list")
    assert run.code == 0
    assert run.tree() == lines("""
        version shop.value=False
        shoptool shop.url=shop:2 shop.verbose=0
        convert shop.value=chair shop.result=chair
        check_amount shop.value=1
        buy shop.article=chair shop.amount=1 shop.result=1
          find shop.article=chair shop.found=<chair>
        list
          show shop.article=chair
            find shop.article=chair shop.found=<chair>
          show shop.article=table
            find shop.article=table shop.found=<table>
        finish shop.results=[1, null]
        goodbye
        """)
