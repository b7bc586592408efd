"""A process may have several interpreters, as with mod_wsgi: each is instrumented, and none is harmed."""

import sys
from pathlib import Path
from typing import Any

import pytest

from . import processes

APP = '''
try:
    import _interpreters as interpreters  # Python 3.13
except ImportError:
    import _xxsubinterpreters as interpreters

def create():
    """Create an interpreter as `Py_NewInterpreter` does, which mod_wsgi uses."""
    try:
        return interpreters.create("legacy")
    except TypeError:
        return interpreters.create(isolated=False)

code = """
import collections.abc, logging, sys
sys.path.insert(0, ".")
import opentelemetry.instrumentation.auto_instrumentation as auto
auto.initialize()
from opentelemetry import trace
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
import shop
shop.checkout(3)
logging.getLogger("app").warning("an order")
print(isinstance([], collections.abc.Mapping), "rpds" in sys.modules, flush=True)
IMPORTS
"""
exec(code.replace("IMPORTS", ""))
for _ in range(2):
    failed = interpreters.run_string(create(), code.replace("IMPORTS", "import sys; LAST"))
    if failed:
        print(failed.type.__name__, failed.msg)
'''


def run(folder: Path, **environment: str) -> Any:
    # The thread of a BatchSpanProcessor does not survive the end of its interpreter.
    settings = {"OTEL_TRACES_EXPORTER": "none", "OTEL_PYTHON_DECLARATIVE_SPECS": "spec.yaml", **environment}
    return processes.run_python("app.py", folder=folder, traced=False, **settings)


@pytest.mark.parametrize("more", [{}, {"OTEL_PYTHON_DECLARATIVE_WATCH": "1", "OTEL_PYTHON_DECLARATIVE_REPORT": "-"}])
def test_every_interpreter_of_a_process_is_traced(more: dict[str, str], tmp_path: Path):
    (tmp_path / "shop.py").write_text("def checkout(price): return price + 1\n")
    spec = "instrument: 2\nname: shop\nspans: {checkout: {around: 'shop:checkout', attributes: {price: price}}}\n"
    (tmp_path / "spec.yaml").write_text(spec)
    (tmp_path / "app.py").write_text(APP.replace("LAST", "pass"))
    result = run(tmp_path, **more)
    assert (result.code, result.lines) == (0, ["False False"] * 3), result.errors
    assert [span["name"] for span in result.spans] == ["checkout"] * 3
    assert "Traceback" not in result.errors


@pytest.mark.skipif(sys.version_info < (3, 12), reason="harmless before Python 3.12")
def test_a_program_can_load_jsonschema_in_another_interpreter(tmp_path: Path):
    """Its extension module works in one interpreter of a process: it must not be ours."""
    (tmp_path / "shop.py").write_text("def checkout(price): return price + 1\n")
    (tmp_path / "spec.yaml").write_text("instrument: 2\nname: shop\nspans: {checkout: {around: 'shop:checkout'}}\n")
    load = "import jsonschema; print(isinstance([], collections.abc.Mapping), flush=True)"
    app = APP.replace("LAST", load).replace("range(2)", "range(1)")
    (tmp_path / "app.py").write_text(app)
    result = run(tmp_path)
    assert (result.code, result.lines) == (0, ["False False", "False False", "False"]), result.errors
