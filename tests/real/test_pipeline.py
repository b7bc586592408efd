"""An asyncio pipeline with queues, threads, time limits and cancellation."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.real.command_lines import CommandLine, lines
from tests.real.programs import check

#: The calls below `grouped`. `TaskGroup` and `asyncio.timeout` exist since Python 3.11.
GROUPED = """
  never
    cleanup
  fetch feeds.name=broken ! FeedError: broken
  fetch feeds.name=slow"""


@pytest.fixture
def program(tmp_path: Path) -> CommandLine:
    return CommandLine("pipeline", tmp_path)


def test_the_spec_has_no_problem(program: CommandLine):
    assert check(program.folder).endswith("exit code 0")


def test_calls_of_tasks_threads_and_callbacks_are_traced_and_cancellation_is_not_an_error(program: CommandLine):
    run = program.run("python", "-m", "feeds")
    assert run.tree() == lines("""
        pipeline feeds.name=a feeds.result=["a0/a+a1/a+a2/a", 3]
          subscription feeds.name=a
            produce
              read feeds.name=a
                connection feeds.name=a
                  next feeds.item=a2
                  next feeds.item=a1
                  next feeds.item=a0
                  next
            consume
              clean feeds.result=a2/a
              save feeds.item=a2/a
              clean feeds.result=a1/a
              save feeds.item=a1/a
              clean feeds.result=a0/a
              save feeds.item=a0/a
          size feeds.size=3
        compress feeds.items=['a2/a', 'a1/a', 'a0/a'] feeds.result=a0/a+a1/a+a2/a
        pipeline feeds.name=bc feeds.result=["bc0/bc+bc1/bc+bc2/bc", 3]
          subscription feeds.name=bc
            produce
              read feeds.name=bc
                connection feeds.name=bc
                  next feeds.item=bc2
                  next feeds.item=bc1
                  next feeds.item=bc0
                  next
            consume
              clean feeds.result=bc2/bc
              save feeds.item=bc2/bc
              clean feeds.result=bc1/bc
              save feeds.item=bc1/bc
              clean feeds.result=bc0/bc
              save feeds.item=bc0/bc
          size feeds.size=3
        compress feeds.items=['bc2/bc', 'bc1/bc', 'bc0/bc'] feeds.result=bc0/bc+bc1/bc+bc2/bc
        limited
          never
            cleanup
        cancelled
          never
            cleanup
          fetch feeds.name=broken ! FeedError: broken
          fetch feeds.name=ok feeds.length=2
          stubborn feeds.result=finished anyway
        shielded
          fetch feeds.name=slow feeds.length=4
          wait_for
        callbacks
          fetch feeds.name=called feeds.length=6
          tick feeds.number=1
          on_done feeds.type=Task
          tick feeds.number=2
          later feeds.name=late feeds.length=4
            fetch feeds.name=late feeds.length=4
        abandoned
          read feeds.name=left
            connection feeds.name=left
              next feeds.item=left2
        grouped
        """) + (GROUPED if sys.version_info >= (3, 11) else "")
