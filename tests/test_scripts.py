"""Functions of the script itself, the module `__main__`, are traced however it is started."""

import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import pytest

from . import processes

PAY = "def pay(amount): return amount + 1\n"
CALL = "if __name__ == '__main__':\n    print(pay(3))\n"


@pytest.fixture
def run_script(tmp_path: Path) -> Any:
    """Writes files, and runs one of them under `opentelemetry-instrument` with a spec for a callable."""

    def run(files: dict[str, str], *arguments: str, spans: dict[str, str], **options: Any) -> Any:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_text(textwrap.dedent(text))
        lines = [f"  {name}: {{around: {target}}}" for name, target in spans.items()]
        spec = "\n".join(["instrument: 2", "name: shop", "spans:", *lines, ""])
        (tmp_path / "spec.yaml").write_text(spec)
        return processes.run_python(*arguments, folder=tmp_path, OTEL_PYTHON_DECLARATIVE_SPECS="spec.yaml", **options)

    return run


def names(result: Any) -> list[str]:
    assert (result.code, result.errors) == (0, ""), result.errors
    return [span["name"] for span in result.spans]


STARTS = [
    ("app.py", ["app.py"], "app"),
    ("scripts/app.py", ["scripts/app.py"], "app"),
    ("scripts/app.py", ["scripts/app.py"], "scripts.app"),
    ("app.py", ["-m", "app"], "app"),
    ("shop/till.py", ["-m", "shop.till"], "shop.till"),
    ("shop/__main__.py", ["-m", "shop"], "shop.__main__"),
    ("shop/__main__.py", ["shop"], "shop.__main__"),
]


@pytest.mark.parametrize(("file", "arguments", "module"), STARTS)
def test_functions_of_the_script_are_traced_by_its_own_name_and_as_main(
    file: str, arguments: list[str], module: str, run_script
):
    app = PAY + "def ship(): return 1\nif __name__ == '__main__':\n    print(pay(3) + ship())\n"
    result = run_script({file: app}, *arguments, spans={"pay": f'"{module}:pay"', "ship": '"__main__:ship"'})
    assert (names(result), result.lines) == (["pay", "ship"], ["5"])


def test_a_function_that_is_named_in_both_ways_has_both_spans(run_script):
    spans = {"outer": "app:pay", "inner": '"__main__:pay"', "all": "app:p*", "main": '"__main__:*"'}
    assert sorted(names(run_script({"app.py": PAY + CALL}, "app.py", spans=spans))) == sorted(spans)


def test_functions_of_a_zip_file_that_is_run_are_traced(run_script, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", PAY + CALL)
    assert names(run_script({}, "app.zip", spans={"pay": '"__main__:pay"'})) == ["pay"]


def test_functions_of_a_program_on_the_command_line_are_traced(run_script):
    assert names(run_script({}, "-c", PAY + "x = pay(3)\n", spans={"pay": '"__main__:pay"'})) == ["pay"]


LAUNCHERS = [
    'runpy.run_path("app.py", run_name="__main__")',
    'runpy.run_path("app.py", None, "__main__")',
    'runpy.run_module("app", run_name="__main__", alter_sys=True)',
]


@pytest.mark.parametrize("name", ["app:pay", '"__main__:pay"'])
@pytest.mark.parametrize("launch", LAUNCHERS)
def test_functions_of_a_script_that_another_script_runs_are_traced(launch: str, name: str, run_script):
    files = {"app.py": PAY + CALL, "launch.py": f"import runpy\n{launch}\nprint('end')\n"}
    result = run_script(files, "launch.py", spans={"pay": name})
    assert ([span["name"] for span in result.spans], result.lines) == (["pay"], ["4", "end"])
    assert names(run_script(files, "-c", f"import runpy; {launch}", spans={"pay": "app:pay"})) == ["pay"]


def test_a_script_that_another_script_runs_without_a_module_gets_a_message(run_script):
    files = {"app.py": PAY + CALL, "launch.py": "import runpy\nrunpy.run_module('app', run_name='__main__')\n"}
    result = run_script(files, "launch.py", spans={"pay": "app:pay"})
    assert (result.lines, result.spans) == (["4"], [])
    assert "the program that runs it does not use a module for it. Move them to a module" in result.errors


def test_what_a_program_runs_under_another_name_is_not_followed_and_reported_once(run_script):
    launch = """import pathlib, runpy, sys
runpy.run_path("app.py")
print(sys.gettrace(), runpy.run_path("app.py")["pay"](1))
runpy.run_path(pathlib.Path("other.py"))
runpy.run_module("shop.app")
"""
    files = {"app.py": PAY + CALL, "other.py": PAY, "shop/app.py": PAY + CALL, "launch.py": launch}
    result = run_script(files, "launch.py", spans={"pay": "app:pay", "shop": "shop.app:pay"})
    assert (result.spans, result.lines) == ([], ["None 2"])
    reports = [line.partition("functions of ")[2] for line in result.errors.splitlines()]
    reason = (
        "are not traced, because runpy does not run it as `__main__`. Move them to a module that the script imports."
    )
    assert reports == [f"app.py {reason}", f"shop.app {reason}"]


def test_functions_of_a_program_on_standard_input_are_traced(run_script):
    assert names(run_script({}, "-", spans={"pay": '"__main__:pay"'}, input=PAY + "print(pay(3))\n")) == ["pay"]


def test_methods_decorated_functions_and_coroutines_of_the_script_are_traced(run_script):
    app = """
        import asyncio, functools
        def twice(function):
            @functools.wraps(function)
            def call(*args): return function(*args) * 2
            return call
        class Command:
            def __init__(self, function): self.function = function
            def __call__(self): raise TypeError("a framework takes the function out")
        class Cart:
            def add(self): return 1
            class Line:
                @staticmethod
                def price(): return 1
        @twice
        def pay(amount):
            return amount
        async def ship(): return 1
        @Command
        def lint(): return 1
        print(Cart().add(), Cart.Line.price(), pay(2), asyncio.run(ship()), lint.function())
    """
    spans = {"add": "app:Cart.add", "price": "app:Cart.Line.price", "pay": "app:pay", "ship": "app:ship"}
    result = run_script({"app.py": app}, "app.py", spans={**spans, "lint": "app:lint"})
    assert (names(result), result.lines) == (["add", "price", "pay", "ship", "lint"], ["1 1 4 1 1"])


def test_patterns_match_in_the_script(run_script):
    app = """
        import json
        from helper import other
        class Cart:
            def add(self): return 1
        def pay(): return Cart().add()
        late = lambda: 1
        def main():
            late()
            pay()
            other()
        if __name__ == "__main__":
            main()
    """
    result = run_script(
        {"app.py": app, "helper.py": "def other(): return 1\n"},
        "app.py",
        spans={"step": 'app:*, name: "{hooked.name}"', "method": "app:*.*"},
    )
    assert sorted(names(result)) == ["late", "main", "method", "pay"]


#: Ways in which a script binds a function. `F` stands for its name.
FORMS = {
    "condition": "if True:\n    def F(): return 1\nelse:\n    def F(): return 2\nF()\n",
    "failed_import": "try:\n    from missing import F\nexcept ImportError:\n    def F(): return 1\nF()\n",
    "imported": "from helper import F\nF()\n",
    "star": "from helper import *\nF()\n",
    "loop": "for _ in range(2):\n    def F(): return 1\nF()\n",
    "assigned": "def given(): return 1\nF = given\nF()\n",
    "wrapped": "import functools\ndef F(): return 1\nF = functools.wraps(F)(\n    lambda old=F: old()\n)\nF()\n",
    "twice": "def F(): return 0\ndef F(): return 1\nF()\n",
    "block": "import contextlib\nwith contextlib.nullcontext():\n    def F(): return 1\n    pass\nF()\n",
    "used_by_import": "def F(): return 1\nimport caller\n",
    "registered": "def keep(f): keep.f = f; return f\n@keep\ndef F(): return 1\nkeep.f()\n",
    "by_function": "def make():\n    global F\n    def F(): return 1\nmake()\ndef last(): return 1\nF()\n",
}


def test_a_function_has_one_span_however_the_script_binds_it(run_script):
    files = {
        "app.py": "".join(text.replace("F", form) for form, text in FORMS.items()),
        "helper.py": "def imported(): return 1\n__all__ = ['star']\ndef star(): return 1\n",
        "caller.py": "import __main__\n__main__.used_by_import()\n",
    }
    result = run_script(files, "app.py", spans={form: f"app:{form}" for form in FORMS})
    assert [span["name"] for span in result.spans] == list(FORMS)


#: Prints what other tools see of us.
SEEN = """
    import sys
    def followed():
        tools = [sys.monitoring.get_tool(tool) for tool in (3, 4)] if sys.version_info >= (3, 12) else []
        return sys.gettrace() is not None or any(tools)
"""


@pytest.mark.parametrize("target", ["app:pay", "app:missing", "app:*"])
def test_nothing_follows_the_script_after_its_last_definition(target: str, run_script):
    app = SEEN + "    print(followed())\n    def pay(): return 1\n    print(followed())\n    result = pay()\n"
    result = run_script({"app.py": app}, "app.py", spans={"pay": target})
    assert result.lines == ["True", "False"]
    assert ("app has no missing: hooks on it are inactive" in result.errors) is (target == "app:missing")


def test_nothing_follows_a_script_that_no_spec_names(run_script):
    result = run_script({"app.py": SEEN + "    print(followed())\n"}, "app.py", spans={"pay": "other:pay"})
    assert (names(result), result.lines) == ([], ["False"])


def test_a_script_that_fails_has_the_same_output(run_script, tmp_path: Path):
    files = {"app.py": "def fail():\n    raise ValueError('broken')\nfail()\n"}
    for arguments in (["app.py"], ["-m", "app"]):
        traced = run_script(files, *arguments, spans={"fail": '"app:missing"'})
        bare = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert traced.code == bare.returncode == 1
        assert traced.errors.endswith(bare.stderr)


INSTRUMENT = """
    import sys
    from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    def start(): DeclarativeInstrumentor().instrument(specs=["spec.yaml"], tracer_provider=provider)
"""


@pytest.mark.parametrize(
    "rest",
    [
        "start()\ndef pay(): return 1\npay()\n",
        "def pay(): return 1\nstart()\npay()\n",
        "def pay(): return 1\ndef main():\n    start()\n    pay()\nmain()\n",
        "def pay(): return 1\nimport threading\nt = threading.Thread(target=start)\nt.start()\nt.join()\npay()\n",
        "start()\ndef pay(): return 0\nDeclarativeInstrumentor().uninstrument()\npay()\nstart()\npay()\n",
    ],
)
def test_a_script_that_instruments_itself_is_traced(rest: str, run_script):
    app = textwrap.dedent(INSTRUMENT) + rest
    result = run_script({"app.py": app}, "app.py", spans={"pay": "app:pay"}, traced=False)
    assert names(result) == ["pay"]


def test_another_tool_that_follows_the_script_is_left_alone_and_named(run_script):
    take = """
        def trace(*_): return trace
        if sys.version_info >= (3, 12):
            for tool in (3, 4):
                sys.monitoring.use_tool_id(tool, "other")
        else:
            sys.settrace(trace)
    """
    rest = "def before(): return 1\nstart()\ndef pay(): return 1\nbefore()\npay()\n"
    app = textwrap.dedent(INSTRUMENT) + textwrap.dedent(take) + rest
    spans = {"pay": "app:pay", "before": "app:before"}
    result = run_script({"app.py": app}, "app.py", spans=spans, traced=False)
    assert [span["name"] for span in result.spans] == ["before"]
    (line,) = result.errors.splitlines()
    assert "spec.yaml:4" in line
    assert "functions of the script are not traced, because another tool traces its lines" in line


LAUNCHER = """
    import sys, types
    script, code = sys.argv[1], open(sys.argv[1]).read()
    namespace = {"__name__": "__main__", "__file__": script}
    if "module" in sys.argv:
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        vars(module).update(namespace)
        namespace = vars(module)
    exec(compile(code, script, "exec"), namespace)
"""


@pytest.mark.parametrize("target", ["app:pay", '"__main__:pay"'])
@pytest.mark.parametrize("kind", ["module", "dictionary"])
def test_the_script_that_another_program_runs_is_traced_if_it_is_a_module(kind: str, target: str, run_script):
    files = {"pyinstrument.py": LAUNCHER, "app.py": PAY + CALL}
    result = run_script(files, "pyinstrument.py", "app.py", kind, spans={"pay": target})
    assert result.lines == ["4"]
    if kind == "module":
        assert names(result) == ["pay"]
    else:
        (line,) = result.errors.splitlines()
        assert "not traced, because the program that runs it does not use a module for it" in line


def test_under_a_debugger_the_script_is_traced_or_a_message_says_what_to_do(run_script):
    result = run_script({"app.py": PAY + CALL}, "-m", "pdb", "app.py", spans={"pay": "app:pay"}, input="c\nq\n")
    if sys.version_info >= (3, 12):
        assert "not traced" not in result.errors
        assert any('"name": "pay"' in line for line in result.lines)
    else:
        assert "not traced, because another tool traces its lines" in result.errors


@processes.needs_instrumented_children
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("arguments", [["app.py"], ["-m", "app"]])
def test_functions_of_the_script_are_traced_in_processes_of_multiprocessing(
    arguments: list[str], method: str, run_script
):
    app = f"""
        import multiprocessing
        def pay(): return 1
        def work(): return pay()
        if __name__ == "__main__":
            multiprocessing.set_start_method({method!r})
            child = multiprocessing.Process(target=work)
            child.start()
            child.join()
            print(child.exitcode)
    """
    result = run_script({"app.py": app}, *arguments, spans={"pay": "app:pay"})
    assert (names(result), result.lines) == (["pay"], ["0"])


@processes.needs_instrumented_children
def test_a_process_of_multiprocessing_that_runs_no_script_is_not_followed(run_script):
    run = "import multiprocessing as m, work; c = m.get_context('spawn').Process(target=work.work); c.start(); c.join()"
    files = {"work.py": SEEN + "    def work(): print(followed())\n"}
    result = run_script(files, "-c", run, spans={"pay": "app:pay"})
    assert (names(result), result.lines) == ([], ["False"])


def test_an_interactive_session_gets_a_message_that_says_what_to_do(run_script):
    result = run_script({}, "-i", spans={"pay": '"__main__:pay"'}, input="def pay(): return 1\n\npay()\n")
    assert "functions of an interactive session are traced only if they exist" in result.errors
    assert "Traceback" not in result.errors


def test_the_report_says_that_the_script_has_not_defined_a_function(run_script):
    files = {"app.py": "import sys\nif True:\n    sys.exit(0)\ndef pay(): return 1\n"}
    result = run_script(files, "app.py", spans={"pay": "app:pay"}, OTEL_PYTHON_DECLARATIVE_REPORT="-")
    assert "app is the script, and it has not defined pay" in result.errors
    assert "app was not imported" not in result.errors
