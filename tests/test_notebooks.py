"""Functions of a notebook are traced from the next cell on."""

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from .conftest import start_instrumentor
from .processes import run_python


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
def test_functions_are_traced_from_the_cell_after_their_own_on(target: str, shell: Shell, tracing, spec_file, logged):
    instrumentor = start_instrumentor(tracing, spec_file(f'spans: {{pay: {{around: "{target}"}}}}', "shop"))
    for cell in ("def pay(): return 1", "pay()", "def pay(): return 2", "pay()"):
        shell.run(cell)
    instrumentor.uninstrument()
    shell.run("pay()")
    assert (tracing.names, logged(), shell.callbacks) == (["pay", "pay"], [], [])


def test_functions_that_exist_are_traced_at_once(shell: Shell, tracing, spec_file, logged):
    shell.run("def pay(): return 1")
    instrumentor = start_instrumentor(tracing, spec_file('spans: {pay: {around: "__main__:pay"}}', "shop"))
    shell.run("pay()")
    instrumentor.uninstrument()
    assert (tracing.names, logged()) == (["pay"], [])


def test_a_spec_that_does_not_name_the_notebook_listens_to_no_cell(shell: Shell, tracing, spec_file):
    instrumentor = start_instrumentor(tracing, spec_file('spans: {pay: {around: "HOST:pay"}}', "shop"))
    assert shell.callbacks == []
    instrumentor.uninstrument()


#: A kernel: the launcher, and IPython's shell, which makes another module `__main__` for the cells.
KERNEL = {
    "ipykernel_launcher.py": """
if __name__ == "__main__":
    from IPython.core.interactiveshell import InteractiveShell
    import inspect
    assert str(inspect.signature(InteractiveShell.init_events)) == "(self)"
    InteractiveShell().run_cells(["def pay(): return 1", "pay()", "def ship(): return pay()", "ship()"])
""",
    "IPython/__init__.py": "",
    "IPython/core/__init__.py": "",
    "IPython/core/interactiveshell.py": """
import sys, types

class Events:
    def __init__(self): self.callbacks = []
    def register(self, event, callback): self.callbacks.append(callback)
    def unregister(self, event, callback): self.callbacks.remove(callback)

class InteractiveShell:
    def __init__(self):
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        self.user_ns = vars(module)
        self.init_events()

    def init_events(self):
        self.events = Events()

    def run_cells(self, cells):
        for cell in cells:
            exec(cell, self.user_ns)
            for callback in list(self.events.callbacks):
                callback(None)
        print(len(self.events.callbacks))
""",
}


@pytest.mark.parametrize("target", ["__main__:pay", "__main__:p*"])
def test_the_kernel_of_a_notebook_can_be_started_with_instrumentation(target: str, tmp_path: Path):
    for file, text in KERNEL.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    (tmp_path / "spec.yaml").write_text(f'instrument: 2\nname: shop\nspans: {{pay: {{around: "{target}"}}}}')
    specs = {"OTEL_PYTHON_DECLARATIVE_SPECS": "spec.yaml"}
    result = run_python("-m", "ipykernel_launcher", "-f", "connection.json", folder=tmp_path, **specs)
    assert (result.errors, result.lines, [span["name"] for span in result.spans]) == ("", ["1"], ["pay", "pay"])
