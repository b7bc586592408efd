"""Names that exist only in some places: on one of several callables, at one of several ends, or as a parameter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.trace import StatusCode

Checked = Callable[[str, Any], list[tuple[str, str, str]]]


@pytest.fixture
def checked(spec_file, capsys: pytest.CaptureFixture[str]) -> Checked:
    """Checks a spec against a module, and returns its problems as severity, code and name in the spec."""

    def check(spec: str, module: Any) -> list[tuple[str, str, str]]:
        path: Path = spec_file(spec, module)
        main(["check", "--format", "json", str(path)])
        lines = path.read_text().splitlines()
        return [
            (each["severity"], each["code"], lines[each["line"] - 1][each["column"] - 1 :][: each["length"]])
            for each in json.loads(capsys.readouterr().out)
            if each["code"] != "meets"
        ]

    return check


def _attributes(tracing: Any) -> list[dict[str, Any]]:
    return [dict(span.attributes) for span in tracing.spans]


# ── On one of several callables ──

MONEY = """
def pay(amount): return amount
def settle(total): return total
def close(): return "closed"
"""


def test_a_name_that_one_of_several_callables_lacks_is_missing_there(
    make_module, instrumented, tracing, logged, checked: Checked
):
    module = make_module(MONEY)
    spec = """
    spans:
      money:
        around: "HOST:*"
        name: '{hooked.name} {amount}'
        attributes:
          either: amount or total
          first: amount
          large: amount.real > 3 or total.real > 3
          named: 'f"{hooked.name} of {total}"'
          has: amount is not None
        status: {error: amount if amount == 7 else None}
    """
    assert checked(spec, module) == []
    with instrumented(spec, module):
        assert (module.pay(3), module.pay(7), module.settle(4), module.close()) == (3, 7, 4, "closed")
    assert tracing.names == ["pay 3", "pay 7", "settle", "close"]
    assert _attributes(tracing) == [
        {"either": 3, "first": 3, "has": True},
        {"either": 7, "first": 7, "large": True, "has": True},
        {"either": 4, "large": True, "named": "settle of 4"},
        {},
    ]
    assert [span.status.status_code for span in tracing.spans].count(StatusCode.ERROR) == 1
    assert logged() == []


def test_a_name_that_no_matched_callable_has_is_a_problem(make_module, checked: Checked):
    module = make_module(MONEY)
    spec = 'spans: {money: {around: "HOST:*", attributes: {a: amount or totl, b: sum or number}}}'
    assert checked(spec, module) == [
        ("error", "unknown-name", "totl"),
        ("error", "unknown-name", "sum"),
        ("error", "unknown-name", "number"),
    ]


# ── At one of several moments ──

JOBS = """
def start(id): ...
def done(id): ...
def bury(id, reason): ...
def drop(id, code): ...
"""

JOBS_SPEC = """
hooks: {start: {call: "HOST:start"}, done: {call: "HOST:done"}, bury: {call: "HOST:bury"}, drop: {call: "HOST:drop"}}
spans:
  job:
    key: id
    start: start.enter
    end: [done.return, bury.return, drop.enter]
"""


def _run_jobs(module: Any) -> None:
    for id in (1, 2, 3):
        module.start(id)
    module.done(1)
    module.bury(2, "poison")
    module.drop(3, 404)


def test_a_name_in_the_status_need_only_exist_at_one_end(make_module, instrumented, tracing, logged, checked: Checked):
    module = make_module(JOBS)
    spec = f"{JOBS_SPEC}    status: {{error: 'reason or f\"status {{code}}\"'}}\n"
    assert checked(spec, module) == []
    with instrumented(spec, module):
        _run_jobs(module)
    assert [span.status.description for span in tracing.spans] == [None, "poison", "status 404"]
    assert logged() == []


def test_an_end_has_a_status_of_its_own(make_module, instrumented, tracing, logged, checked: Checked):
    module = make_module(JOBS)
    bury = """{at: bury.return, status: {when: reason != "idle", error: reason}}"""
    drop = "{at: drop.enter, status: [{when: code == 404, unset: true}, {error: str(code)}]}"
    spec = JOBS_SPEC.replace("bury.return", bury).replace("drop.enter", drop) + "    status: {ok: 'True'}\n"
    assert checked(spec, module) == []
    with instrumented(spec, module):
        _run_jobs(module)
        for id, reason in ((4, "idle"), (5, 500)):
            module.start(id)
            module.bury(id, reason) if id == 4 else module.drop(id, reason)
    statuses = [(span.status.status_code, span.status.description) for span in tracing.spans]
    assert statuses == [
        (StatusCode.OK, None),
        (StatusCode.ERROR, "poison"),
        (StatusCode.UNSET, None),
        (StatusCode.OK, None),
        (StatusCode.ERROR, "500"),
    ]
    assert logged() == []


def test_an_attribute_is_read_at_the_end_if_its_names_exist_only_there(
    make_module, instrumented, tracing, logged, checked: Checked
):
    module = make_module(JOBS)
    spec = f"""{JOBS_SPEC}
    attributes: {{job.id: id, job.reason: reason, job.code: code, job.why: 'reason or str(code)'}}
metrics:
  job.duration: {{instrument: histogram, span: job, span_attributes: [job.reason]}}
"""
    assert checked(spec, module) == []
    with instrumented(spec, module):
        _run_jobs(module)
    assert _attributes(tracing) == [
        {"job.id": 1},
        {"job.id": 2, "job.reason": "poison", "job.why": "poison"},
        {"job.id": 3, "job.code": 404, "job.why": "404"},
    ]
    assert set(tracing.points("job.duration")) == {(), (("job.reason", "poison"),)}
    assert logged() == []


def test_an_attribute_is_read_once_at_the_start_if_its_names_exist_there(make_module, instrumented, tracing):
    module = make_module("""
    def start(id, amount): ...
    def restart(id): ...
    def done(id, amount): ...
    """)
    spec = """
    hooks: {done: {call: "HOST:done"}, start: {call: "HOST:start"}, restart: {call: "HOST:restart"}}
    spans:
      job: {key: id, start: [start.enter, restart.enter], end: done.return, attributes: {amount: amount}}
    """
    with instrumented(spec, module):
        module.start(1, 5)
        module.restart(2)
        module.done(1, 6)
        module.done(2, 7)
    assert _attributes(tracing) == [{"amount": 5}, {"amount": 7}]


def test_a_name_that_exists_at_no_end_is_a_problem(make_module, checked: Checked, instrumented, tracing, logged):
    module = make_module(JOBS)
    spec = f"{JOBS_SPEC}    status: {{error: resaon}}\n    attributes: {{job.reason: raeson, job.id: id}}\n"
    assert sorted(checked(spec, module)) == [
        ("error", "unknown-name", "raeson"),
        ("error", "unknown-name", "resaon"),
    ]
    with instrumented(spec, module):
        _run_jobs(module)
    assert _attributes(tracing) == [{"job.id": 1}, {"job.id": 2}, {"job.id": 3}]
    assert len(logged()) == 2


def test_a_name_that_exists_only_at_the_start_cannot_be_read_in_the_status(make_module, checked: Checked):
    module = make_module("def start(id, reason): ...\ndef done(id): ...")
    spec = """
    hooks: {start: {call: "HOST:start"}, done: {call: "HOST:done"}}
    spans: {job: {key: id, start: start.enter, end: done.return, status: {error: reason}}}
    """
    assert checked(spec, module) == [("error", "unknown-name", "reason")]


def test_a_name_in_an_event_an_attribute_or_a_metric_need_only_exist_at_one_of_its_moments(
    make_module, instrumented, tracing, logged, checked: Checked
):
    module = make_module(JOBS)
    spec = """
    hooks: {start: {call: "HOST:start"}, bury: {call: "HOST:bury"}, drop: {call: "HOST:drop"}}
    spans:
      job:
        key: id
        start: start.enter
        end: {at: drop.return}
        events: {hit: {at: [bury.enter, drop.enter], attributes: {id: id, why: reason or str(code)}}}
        attributes: {code: {value: code, at: [bury.enter, drop.enter]}}
        status: {at: [bury.enter, drop.enter], error: reason}
    metrics:
      hits: {instrument: counter, at: [bury.enter, drop.enter], attributes: {reason: reason}}
    """
    assert checked(spec, module) == []
    with instrumented(spec, module):
        module.start(1)
        module.bury(1, "poison")
        module.drop(1, 404)
    assert [dict(event.attributes) for event in tracing.span.events] == [
        {"id": 1, "why": "poison"},
        {"id": 1, "why": "404"},
    ]
    assert dict(tracing.span.attributes) == {"code": 404}
    assert tracing.span.status.description == "poison"
    assert set(tracing.points("hits")) == {(("reason", "poison"),), ()}
    assert logged() == []
    assert [each[2] for each in checked(spec.replace("value: code", "value: coed"), module)] == ["coed"]


# ── Parameters with the names of the outcome ──

CALLBACKS = """
def on_failure(error, attempt):
    if attempt > 2: raise ValueError("given up")
    return "retried"
def on_done(result): return None
def other(value): return value
"""


def test_before_the_call_a_parameter_named_error_or_result_is_read(
    make_module, instrumented, tracing, logged, checked: Checked
):
    module = make_module(CALLBACKS)
    spec = """
    hooks:
      failure: {call: "HOST:on_failure", when: error is not None, names: {why: error}}
      done: {call: "HOST:on_done"}
    spans:
      failure:
        around: failure
        name: failure {error}
        attributes: {before: str(error), named: str(why), attempt: attempt}
        status: {error: 'f"{error} after {why}"'}
      done: {around: done, attributes: {what: result}}
      rows: {at: done.enter, attributes: {rows: result}}
      returned: {at: done.return, attributes: {nothing: result is None}}
    """
    problems = checked(spec, module)
    assert {severity for severity, _, _ in problems} == {"note"}
    assert {(code, name) for _, code, name in problems} == {("ambiguous-name", "error"), ("ambiguous-name", "result")}
    with instrumented(spec, module):
        assert module.on_failure(OSError("disk full"), 2) == "retried"
        with pytest.raises(ValueError, match="given up"):
            module.on_failure(OSError("no network"), 3)
        module.on_done("42 rows")
    found = {span.name: span for span in tracing.spans}
    assert [dict(found[name].attributes) for name in ("failure disk full", "done", "rows", "returned")] == [
        {"before": "disk full", "named": "disk full", "attempt": 2},
        {"what": "42 rows"},
        {"rows": "42 rows"},
        {"nothing": True},
    ]
    raised = found["failure no network"]
    assert (raised.attributes["before"], raised.status.description) == ("no network", "given up after no network")
    assert found["failure disk full"].status.status_code is StatusCode.UNSET
    assert logged() == []


def test_a_parameter_named_as_items_are_is_noted_as_such(make_module, spec_file, capsys):
    module = make_module("def read(last_item, item_count):\n    yield last_item\n")
    spec = """
    spans: {read: {around: "HOST:read", attributes: {last: last_item, items: item_count}}}
    """
    assert main(["check", str(spec_file(spec, module))]) == 0
    found = capsys.readouterr().out
    parameter = "is the parameter of read(last_item, item_count)"
    for name, outcome in {
        "last_item": "the last item of the result",
        "item_count": "the number of items of the result",
    }.items():
        assert f'"{name}" {parameter} here, not {outcome}' in found
        assert f"help: read {outcome} at item or exit" in found


def test_without_such_a_parameter_the_outcome_is_not_available_before_the_call(
    make_module, instrumented, tracing, logged, checked: Checked
):
    module = make_module(CALLBACKS)
    spec = """
    hooks: {other: {call: "HOST:other", names: {why: error}}}
    spans:
      other: {around: other, attributes: {value: value, result: result}}
      early: {at: other.enter, attributes: {early: result}}
    """
    errors = [each for each in checked(spec, module) if each[0] == "error"]
    assert errors == [("error", "too-early", "error"), ("error", "too-early", "result")]
    with instrumented(spec, module):
        module.other(1)
    assert {span.name: dict(span.attributes) for span in tracing.spans} == {
        "early": {},
        "other": {"value": 1, "result": 1},
    }
    assert [message for message in logged() if "is not available at enter" in message]


def test_a_parameter_named_result_starts_a_span_between_moments(
    make_module, instrumented, tracing, logged, checked: Checked
):
    module = make_module(CALLBACKS)
    spec = """
    hooks: {done: {call: "HOST:on_done"}, other: {call: "HOST:other"}}
    spans:
      wait: {key: "1", start: done.enter, end: other.return, attributes: {what: result}}
    """
    assert {severity for severity, _, _ in checked(spec, module)} == {"note"}
    with instrumented(spec, module):
        module.on_done("42 rows")
        module.other("other")
    assert _attributes(tracing) == [{"what": "42 rows"}]
    assert logged() == []


def test_a_parameter_of_one_of_several_callables_is_read_before_its_call(make_module, instrumented, tracing, logged):
    module = make_module(CALLBACKS)
    with instrumented('spans: {call: {around: "HOST:*", attributes: {what: result}}}', module):
        module.on_done("42 rows")
        module.other("out")
    assert _attributes(tracing) == [{"what": "42 rows"}, {"what": "out"}]
    assert logged() == []


def test_explain_says_when_such_a_parameter_is_read(make_module, spec_file, capsys: pytest.CaptureFixture[str]):
    module = make_module(CALLBACKS)
    path = spec_file('spans: {done: {around: "HOST:on_done", attributes: {what: result}}}', module)
    main(["explain", "--specs", str(path), f"{module.__name__}:on_done"])
    called, returned = capsys.readouterr().out.split("when it returns")
    assert "what = result" in called
    assert "what = result" not in returned
    assert "before the call" in returned


@pytest.mark.parametrize("name", ["hooked", "self", "args", "kwargs", "extension", "rule", "span", "names"])
def test_a_parameter_may_have_any_name(name: str, make_module, instrumented, tracing):
    module = make_module(f"def call({name}): return {name}")
    with instrumented(f'spans: {{call: {{around: "HOST:call", attributes: {{value: {name}}}}}}}', module):
        assert module.call("tea") == "tea"
    assert _attributes(tracing) == [{"value": "tea"}]
