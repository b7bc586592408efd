"""Other tools that trace the same functions in the same process, started before and after this package.

They are too heavy for the tests of each change, and do not go with each other: install one of them into an environment
of its own to run its tests.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.processes import PATIENCE, ended
from tests.real.command_lines import CommandLine

TOOLS = {"ddtrace": "ddtrace", "logfire": "logfire", "newrelic": "newrelic", "sentry_sdk": "sentry-sdk"}

Outcome = dict[str, Any]


@pytest.fixture(scope="module")
def use(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Outcome]]:
    """Uses the program with a tool, once for each order in which the tool and this package start."""

    def used(tool: str, *orders: str) -> list[Outcome]:
        programs = [CommandLine("beside", tmp_path_factory.mktemp(tool)) for _ in orders]
        started = [
            program.start(["python", "main.py", tool, order], traced=False)
            for program, order in zip(programs, orders, strict=True)
        ]
        return [_outcome(process, program) for process, program in zip(started, programs, strict=True)]

    return used


def _outcome(process: Any, program: CommandLine) -> Outcome:
    with ended(process):
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    recorded = json.loads((program.scratch / "untraced" / "recorded.json").read_text())
    return {"output": output, "errors": errors, **recorded}


@pytest.fixture(scope="module")
def without_tools(use: Callable[..., list[Outcome]]) -> list[Outcome]:
    """What the program does on its own, and with this package only."""
    return use("none", "alone", "ours first")


def test_the_program_alone_is_traced_as_a_tool_would_find_it(without_tools: list[Outcome]):
    alone, ours = without_tools
    assert ours["output"] == alone["output"]
    assert [span[0] for span in ours["spans"]] == [
        *("pay", "pay", "ship", "items", "load", "total", "check", "stored", "pay")
    ]


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(tool, marks=pytest.mark.skipif(not found, reason=f"{name} is not installed: pip install {name}"))
        for tool, name in TOOLS.items()
        for found in [importlib.util.find_spec(tool)]
    ],
)
def test_the_program_and_the_data_of_both_are_as_with_one_of_them_whichever_starts_first(
    tool: str, use: Callable[..., list[Outcome]], without_tools: list[Outcome]
):
    plain, ours = without_tools
    alone, ours_first, ours_last = use(tool, "alone", "ours first", "ours last")
    assert alone["output"] == plain["output"] and alone["tool"]
    for both in (ours_first, ours_last):
        assert both["output"] == plain["output"]
        assert both["errors"] == alone["errors"]
        assert both["tool"] == alone["tool"]
        assert both["spans"] == ours["spans"]
        assert both["spans after"] == 0, "uninstrumenting leaves nothing"
