"""Functions of a notebook are traced from the cell after their own on."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from .conftest import start_instrumentor


class Shell:
    """The part of IPython's shell that is used: events, and the namespace of the cells."""

    def __init__(self, main: types.ModuleType) -> None:
        self.user_ns = vars(main)
        self.events = self
        self.callbacks: list[Any] = []

    def register(self, event: str, callback: Any) -> None:
        assert event == "post_run_cell"
        self.callbacks.append(callback)

    def unregister(self, event: str, callback: Any) -> None:
        self.callbacks.remove(callback)

    def run(self, cell: str) -> None:
        exec(cell, self.user_ns)
        for callback in list(self.callbacks):
            callback(None)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    main, ipython = types.ModuleType("__main__"), types.ModuleType("IPython")
    shell = Shell(main)
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    return shell


@pytest.mark.parametrize("target", ["__main__:pay", "__main__:p*"])
def test_functions_are_traced_from_the_cell_after_their_own_on(
    target: str, shell: Shell, tracing: Any, spec_file: Any, logged: Any
) -> None:
    instrumentor = start_instrumentor(tracing, spec_file(f'spans: {{pay: {{around: "{target}"}}}}', "shop"))
    for cell in ("def pay(): return 1", "pay()", "def pay(): return 2", "pay()"):
        shell.run(cell)
    instrumentor.uninstrument()
    shell.run("pay()")
    assert (tracing.names, logged(), shell.callbacks) == (["pay", "pay"], [], [])


def test_functions_that_exist_are_traced_at_once(shell: Shell, tracing: Any, spec_file: Any, logged: Any) -> None:
    shell.run("def pay(): return 1")
    instrumentor = start_instrumentor(tracing, spec_file('spans: {pay: {around: "__main__:pay"}}', "shop"))
    shell.run("pay()")
    instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["pay"], [])


def test_a_spec_that_does_not_name_the_notebook_listens_to_no_cell(shell: Shell, tracing: Any, spec_file: Any) -> None:
    instrumentor = start_instrumentor(tracing, spec_file('spans: {pay: {around: "HOST:pay"}}', "shop"))
    assert shell.callbacks == []
    instrumentor.uninstrument()
