"""The generated source, which no name of the program or of a spec can break.

A case is a folder in ``wrappers``: ``spec.yaml``, ``target.py`` (the module ``target``) and ``expected.py``, all of the
generated source. ``UPDATE_GOLDEN=1 pytest tests/test_wrappers.py`` updates the expected source.
"""

import inspect
import os
import traceback
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.language.document import read_document
from opentelemetry.instrumentation.declarative.plan.validation import plan_of

CASES = sorted(path.parent for path in (Path(__file__).parent / "wrappers").glob("*/spec.yaml"))


def test_there_are_cases():
    assert len(CASES) >= 7


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_generated_source_is_as_expected(case: Path, make_module, tracing, logged):
    make_module((case / "target.py").read_text(), "target")
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider, specs=[case / "spec.yaml"])
    try:
        assert instrumentor._active is not None
        sources = instrumentor._active.sources
    finally:
        instrumentor.uninstrument()
    text = "\n".join(f"# {name}\n{source}" for name, source in sources.items())
    expected = case / "expected.py"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()
    assert logged() == []


def test_the_traceback_of_a_replaced_callable_names_its_target(make_module, instrumented):
    module = make_module("import functools\n@functools.lru_cache\ndef fail(): raise ValueError('host')")
    with instrumented('spans: {fail: {around: "HOST:fail"}}', module):
        with pytest.raises(ValueError, match="host") as caught:
            module.fail()
    files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert f"<instrument {module.__name__}:fail>" in files


def test_a_function_that_the_program_holds_runs_the_code_of_a_changed_spec(make_module, tracing, spec_file):
    module = make_module("def pay(): return 1")
    held, code = module.pay, module.pay.__code__
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(
        tracer_provider=tracing.provider, specs=[spec_file('spans: {a: {around: "HOST:pay"}}', module)]
    )
    try:
        changed = plan_of(read_document(spec_file('spans: {b: {around: "HOST:pay"}}', module)))
        (installation,) = instrumentor._active._installations
        installation.change(changed)
        assert held() == 1 and tracing.names == ["b"]
    finally:
        instrumentor.uninstrument()
    assert module.pay is held and held.__code__ is code


def test_a_module_can_redefine_builtins(make_module, instrumented, tracing, logged):
    module = make_module("""
        def odd(*_): raise RuntimeError("not the builtin")
        Exception = BaseException = StopIteration = StopAsyncIteration = len = str = type = isinstance = odd
        class span: pass
        original = rule = result = error = attributes = name = odd
        def fail(lines): raise KeyError(lines)
        def steps(lines): yield lines
    """)
    spec = """
    spans:
      fail: {around: "HOST:fail", name: "fail {str(lines)}", attributes: {n: len(lines), t: lines.nothing}}
      steps: {around: "HOST:steps", name: "steps {str(lines)}", attributes: {n: len(lines)}}
    """
    with instrumented(spec, module):
        with pytest.raises(KeyError):
            module.fail("ab")
        assert list(module.steps("ab")) == ["ab"]
    assert [(span.name, dict(span.attributes)) for span in tracing.spans] == [
        ("fail ab", {"n": 2}),
        ("steps ab", {"n": 2}),
    ]
    assert logged() == []


def test_parameters_can_have_the_names_that_generated_code_uses(make_module, instrumented, tracing, logged):
    names = (
        "original, span, spans, key, attributes, name, rule, rule_2, failure, read_null_safe, Exception, call_spans, "
        "call_span, render_name, when, status, traceparent, parent, in_call, about, root, len, str, text, make, call"
    )
    module = make_module(f"""
        class Key: id = 1
        def call({names}): return {names.split(", ")[-1]}, len
        def fail({names}): raise original
    """)
    spec = """
    hooks:
      call: {call: "HOST:call", when: str(span) == "1"}
      fail: {call: "HOST:fail"}
    spans:
      call:
        around: call
        name: call {span.id} {result}
        key: key
        parent: none
        links: {about: {span: call, key: key}}
        attributes: {name: name, rule: rule.id, length: "len(str(len))", text: text, result: len(result)}
        status: {error: status.no}
      late:
        key: key
        start: call.enter
        end: fail.exit
        attributes: {span: span, error: type_name(error), failure: failure}
    """
    count = len(names.split(", "))
    with instrumented(spec, module):
        assert module.call(*[1] * count) == (1, 1)
        error = ValueError()
        with pytest.raises(ValueError) as caught:  # noqa: PT011  # compared by identity
            module.fail(error, *[1] * (count - 1))
        assert caught.value is error
    call, late = tracing.spans
    assert (call.name, dict(call.attributes)) == (
        "call [1, 1]",
        {"name": 1, "length": 1, "text": 1, "result": 2},
    )
    assert late.attributes == {"span": 1, "error": "ValueError", "failure": 1}
    assert logged() == []


def test_functions_of_a_spec_can_have_the_names_that_generated_code_uses(make_module, spec_file, tracing):
    module = make_module("""
        def twice(value): return value * 2
        def call(value): return value
    """)
    spec = spec_file(
        """
    functions: {original: "HOST:twice", rule: "HOST:twice", read_null_safe: "HOST:twice"}
    hooks: {call: {call: "HOST:call", when: original(value) == 4}}
    spans:
      call:
        around: call
        attributes: {original: original(value), rule: rule(result), read_null_safe: read_null_safe(value)}
    """,
        module,
    )
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider, specs=[spec])
    ours = module.call
    assert (ours(2), ours(3)) == (2, 3)
    instrumentor.uninstrument()
    assert ours(2) == 2
    assert tracing.span.attributes == {"original": 4, "rule": 4, "read_null_safe": 4}


def test_inspect_sees_a_wrapper_as_the_original(make_module, instrumented):
    module = make_module("def call(a, /, b: int = 1, *, c): return a")
    original = module.call
    with instrumented('spans: {call: {around: "HOST:call"}}', module):
        assert inspect.unwrap(module.call) is original
        assert inspect.getfullargspec(module.call) == inspect.getfullargspec(original)
