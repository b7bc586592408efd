"""A program that renders frames in other processes, started in each way that Python offers."""

from __future__ import annotations

import importlib.util
import multiprocessing
from pathlib import Path

import pytest

from tests.processes import needs_instrumented_children
from tests.real.command_lines import CommandLine, lines, sorted_tree
from tests.real.programs import check


@pytest.fixture
def program(tmp_path: Path) -> CommandLine:
    return CommandLine("render_farm", tmp_path)


def test_the_spec_has_no_problem(program: CommandLine):
    assert check(program.folder).endswith("exit code 0")


FORKED = """\
    failed render.number=13
    received
    with_executor
      frame render.number=13 ! FrameError: 13
      frame render.number=8 render.result=800
        shade
      frame render.number=9 render.result=900
        shade
      initialize render.scale=100
    with_pool
      area render.area=6
      call
        draw render.scene=c
          frame render.number=5 render.result=50
            shade
      draw render.scene=a
        frame render.number=4 render.result=40
          shade
      frame render.number=0 render.result=0
        shade
      frame render.number=1 render.result=10
        shade
      frame render.number=13 ! FrameError: 13
      frame render.number=2 render.result=20
        shade
      frame render.number=6 render.result=60
        shade
      initialize render.scale=10
      initialize render.scale=10
      load render.scene=b
        draw render.scene=b
          frame render.number=1 render.result=10
            shade
    with_processes
      report
        frame render.number=2 render.result=2
          shade
    """
OTHERS = """
    area render.area=6
    call
      draw render.scene=c
        frame render.number=5 render.result=50
          shade
    draw render.scene=a
      frame render.number=4 render.result=40
        shade
    failed render.number=13
    frame render.number=0 render.result=0
      shade
    frame render.number=1 render.result=10
      shade
    frame render.number=13 ! FrameError: 13
    frame render.number=13 ! FrameError: 13
    frame render.number=2 render.result=20
      shade
    frame render.number=6 render.result=60
      shade
    frame render.number=8 render.result=800
      shade
    frame render.number=9 render.result=900
      shade
    initialize render.scale=10
    initialize render.scale=10
    initialize render.scale=100
    load render.scene=b
      draw render.scene=b
        frame render.number=1 render.result=10
          shade
    received
    report
      frame render.number=2 render.result=2
        shade
    with_executor
    with_pool
    with_processes
    """


@needs_instrumented_children
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_children_of_every_start_method_are_traced(method: str, program: CommandLine):
    tree = program.run("python", "-m", "render", method).tree(ordered=False)
    assert tree == sorted_tree(FORKED if method == "fork" else OTHERS)


@needs_instrumented_children
def test_programs_that_are_started_as_subprocesses_are_traced(program: CommandLine):
    assert program.run("python", "-m", "render", "subprocess").tree() == lines("""
        with_subprocess
        program
          frame render.number=7 render.result=7
            shade
        program
          frame render.number=11 render.result=11
            shade
        """)


@needs_instrumented_children
@pytest.mark.skipif(importlib.util.find_spec("joblib") is None, reason="joblib is not installed")
def test_workers_of_joblib_are_traced_including_those_that_get_functions_by_value(program: CommandLine):
    assert program.run("python", "-m", "render", "joblib").tree(ordered=False) == lines("""
        frame render.number=21 render.result=21
          shade
        frame render.number=22 render.result=22
          shade
        frame render.number=23 render.result=23
          shade
        frame render.number=24 render.result=24
          shade
        frame render.number=25 render.result=25
          shade
        frame render.number=26 render.result=26
          shade
        with_joblib
        """)
