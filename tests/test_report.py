"""The report has the counts of each rule: counted by the wrappers, and read from the file it is written to."""

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.report.status import Occasion, RuleStatus, SpecStatus
from opentelemetry.instrumentation.declarative.report.text_format import as_text
from opentelemetry.instrumentation.declarative.runtime.counters import Counter
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

HOST = """
class Order:
    def __init__(self, id, colour=None):
        self.id = id
        self.colour = colour
        self.trace = None

def begin(order): return order
def end(order): return order
def paint(order): return order
def work(order): return order
def fail(order): raise ValueError(order)
def idle(): return None
def many(orders): return orders
"""


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_module, instrumented) -> Callable[..., dict[str, Any]]:
    """Run a function with an active spec; return the report, with its rules by their titles."""

    def run(spec: str, act: Callable[[Any], object], source: str = HOST) -> dict[str, Any]:
        file = tmp_path / "report.json"
        monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_REPORT", str(file))
        module = make_module(source)
        with instrumented(spec, module):
            act(module)
        found = json.loads(file.read_text())
        assert found["instrument_report"] == 1
        (one,) = found["specs"]
        one["host"] = module.__name__
        names = [rule["rule"] for rule in one["rules"]]
        assert len(names) == len(set(names))
        one["by"] = {rule["rule"]: rule for rule in one["rules"]}
        return one

    return run


def counts(rule: dict[str, Any]) -> tuple[int, int, int]:
    return rule["reached"], rule["matched"], rule["emitted"]


def reads(rule: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {f"{one['kind']} {one['name']}": (one["present"], one["read"]) for one in rule["reads"]}


EVERY_KIND = """
hooks:
  begin: {call: "HOST:begin"}
  end: {call: "HOST:end"}
  paint: {call: "HOST:paint", when: order.colour is not None}
  work: {call: "HOST:work"}
  many: {call: "HOST:many"}
spans:
  order:
    key: order.id
    owner: shop
    start: {at: begin.enter, when: order.id > 0}
    end: end.return
    parent: [{traceparent: order.trace}, none]
    inject: {traceparent: order.trace}
    counts: {paints: {at: paint.enter, key: order.id}}
    attribute_groups: {colour: {at: paint.return, key: order.id, attributes: {order.colour: order.colour}}}
    events: {painted: {at: paint.enter, key: order.id, attributes: {nothing: order.nothing}}}
    attributes: {order.id: order.id, order.nothing: order.nothing, order.paints: paints or None}
  work: {around: work, links: {of: {span: order, key: order.id}}, attributes: {colour: order.colour}}
  shot: {at: work.return, attributes: {order.id: result.id}}
enrich:
  current:
    events:
      worked: {at: work.enter}
context:
  at_work: {during: work, value: order.id}
inject:
  trace: {at: work.enter, traceparent: order.trace}
owners:
  shop: {object: order, closes: {at: many.exit, object: orders}}
"""


def test_each_kind_of_rule_says_how_often_it_matched_and_how_often_it_emitted(report):
    def act(host: Any) -> None:
        order = host.Order(1, "red")
        for each in (order, host.Order(0)):
            host.begin(each)
        host.paint(order)
        host.paint(host.Order(1))
        host.work(order)
        host.work(host.Order(5))
        host.end(order)
        host.end(order)
        host.many([])

    found = report(EVERY_KIND, act)
    rules = found["by"]
    assert {name: counts(rule) for name, rule in rules.items()} == {
        "hook begin": (2, 2, 0),
        "hook end": (2, 2, 0),
        "hook paint": (2, 1, 0),
        "hook work": (2, 2, 0),
        "hook many": (1, 1, 0),
        "span order starts": (2, 1, 1),
        "span order injects traceparent": (1, 1, 1),
        "span order ends": (2, 2, 1),
        "count paints": (1, 1, 1),
        "attribute group colour": (1, 1, 1),
        "event painted": (1, 1, 1),
        "span work starts": (2, 2, 2),
        "span work ends": (2, 2, 2),
        "span shot": (2, 2, 2),
        "event worked": (2, 2, 2),
        "context value at_work": (2, 2, 2),
        "injection trace": (2, 2, 2),
        "owner shop is closed": (1, 1, 1),
    }
    assert rules["span order ends"]["not_emitted"] == {"no span is open under its key": 1}
    assert reads(rules["span order starts"]) == {
        "attribute order.id": (1, 1),
        "attribute order.nothing": (0, 1),
        "parent traceparent": (0, 1),
    }
    assert reads(rules["span work starts"]) == {"attribute colour": (1, 2), "link of": (1, 2)}
    assert reads(rules["span order ends"]) == {
        "attribute order.paints": (1, 1),
        # Read at the end only if their names do not exist at the start.
        "attribute order.id": (0, 0),
        "attribute order.nothing": (0, 0),
    }
    assert {rule["state"] for rule in rules.values()} == {"installed"}
    assert [rule["why"] for rule in rules.values() if rule["why"]] == []


def test_each_rule_has_its_location_in_the_spec(report, tmp_path: Path):
    found = report(EVERY_KIND, lambda host: None)
    lines = (tmp_path / "spec.yaml").read_text().splitlines()
    at = {name: lines[rule["line"] - 1].strip() for name, rule in found["by"].items()}
    assert at["span order starts"].startswith("start:")
    assert at["span order ends"].startswith("end:")
    assert at["event painted"].startswith("events: {painted")
    assert at["injection trace"].startswith("trace: {at: work.enter")
    assert {rule["file"] for rule in found["rules"]} == {str(tmp_path / "spec.yaml")}


def test_a_rule_that_never_matched_has_its_likely_reason(report):
    spec = """
    hooks:
      begin: {call: "HOST:begin"}
      paint: {call: "HOST:paint", when: order.colour == "blue"}
      idle: {call: "HOST:idle"}
      away: {call: "nowhere.to.be.found:call"}
      gone: {call: "HOST:gone"}
      spare: {call: "HOST:work"}
    spans:
      never: {key: order.id, start: {at: begin.enter, when: order.id < 0}, end: begin.raise}
      uncalled: {around: idle, inject: {traceparent: idle.trace}}
      absent: {around: away}
      missing: {around: gone}
      shot: {at: begin.enter, attributes: {known: ordre.id}, name: "{ordre.id}"}
    enrich:
      current:
        events:
          blue: {at: paint.enter}
    """
    found = report(spec, lambda host: [host.begin(host.Order(1)), host.paint(host.Order(1, "red"))])
    rules, host = found["by"], found["host"]
    assert rules["span never starts"]["why"] == ["its moment occurred 1 time, but its `when` was never true"]
    assert rules["span never ends"]["why"] == [f"{host}:begin never raised, in 1 call"]
    assert rules["span uncalled starts"]["why"] == [f"{host}:idle was not called"]
    assert rules["event blue"]["why"] == [
        f"{host}:paint was called 1 time, but the `when` of the hook paint (spec.yaml:5) was never true"
    ]
    assert (rules["span absent starts"]["state"], rules["span absent starts"]["why"]) == (
        "waiting",
        ["nowhere.to.be.found was not imported"],
    )
    assert rules["span missing starts"]["state"] == "refused"
    assert rules["span missing starts"]["why"][0].startswith(f"{host} has no gone")
    assert rules["span shot"]["state"] == "refused"
    assert rules["span shot"]["why"] == ['"ordre" is not a parameter of begin(order): the span "shot" is left out']
    assert rules["hook spare"]["state"] == "unused"
    assert {rule["matched"] for name, rule in rules.items() if not name.startswith("hook")} == {0}


def test_a_callable_that_was_imported_by_name_before_it_was_patched_says_so_if_it_is_never_called(report, make_module):
    def act(host: Any) -> None:
        other.work(1)

    host = make_module("import functools\n@functools.lru_cache\ndef work(order): return order")
    other = make_module(f"from {host.__name__} import work")
    spec = f'spans: {{work: {{around: "{host.__name__}:work"}}}}'
    (why,) = report(spec, act)["by"]["span work starts"]["why"]
    assert why == (
        f"{host.__name__}:work was not called: it was imported by name before it could be patched, in: {other.__name__}"
    )


def test_a_callable_that_the_program_has_replaced_says_so_if_it_is_never_called(report, make_module):
    def act(_: Any) -> None:
        wrapped = host.pay
        host.work, host.pay = lambda order: order, lambda: wrapped()
        host.work(1)

    host: Any = make_module("def work(order): return order\ndef pay(): return 1")
    by = report(f'spans: {{work: {{around: "{host.__name__}:work"}}, pay: {{around: "{host.__name__}:pay"}}}}', act)[
        "by"
    ]
    reason = f"{host.__name__}:work was not called: the program has replaced it since it was patched"
    assert by["span work starts"]["why"] == [reason]
    assert by["span pay starts"]["why"] == [f"{host.__name__}:pay was not called"]


def test_a_rule_without_effect_has_its_reasons(report):
    def act(host: Any) -> None:
        order = host.Order(1)
        with suppress_instrumentation():
            host.begin(order)
            host.work(order)
        host.begin(order)
        host.begin(order)
        host.work(order)
        host.paint(host.Order(2))

    spec = """
    hooks:
      begin: {call: "HOST:begin"}
      work: {call: "HOST:work"}
      paint: {call: "HOST:paint"}
    spans:
      order:
        key: order.id
        start: {at: begin.enter, unless_open: true}
        end: {at: work.raise}
        events: {painted: {at: paint.enter, key: order.id}}
        counts: {paints: {at: paint.enter, key: order.id}}
      child: {around: paint, parent: {span: order, key: order.id, required: true}}
    enrich:
      current:
        events:
          worked: {at: work.enter}
    """
    found = report(spec, act)
    rules = found["by"]
    assert {name: rule["not_emitted"] for name, rule in rules.items() if rule["not_emitted"]} == {
        "span order starts": {"instrumentation was suppressed": 1, "a span is already open under its key": 1},
        "event painted": {"no span is open under its key": 1},
        "count paints": {"no span is open under its key": 1},
        "span child starts": {"its required parent does not exist": 1},
        "event worked": {"instrumentation was suppressed": 1, "there is no current span": 1},
    }
    assert reads(rules["span child starts"]) == {"parent order": (0, 1)}
    assert found["ended_early"] == {}


def test_spans_that_are_not_sampled_or_have_no_provider_do_not_count_as_emitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_module, spec_file, tracing
):
    module = make_module(HOST)
    text = 'hooks: {work: {call: "HOST:work"}}\nspans: {work: {around: work}, shot: {at: work.enter}}'
    spec = spec_file(text, module)
    file = tmp_path / "report.json"
    found = []
    for sampler in (TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False), None):
        monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_REPORT", str(file))
        instrumentor = DeclarativeInstrumentor()
        instrumentor.instrument(tracer_provider=sampler, specs=[spec])
        module.work(1)
        instrumentor.uninstrument()
        (one,) = json.loads(file.read_text())["specs"]
        found.append({rule["rule"]: rule["not_emitted"] for rule in one["rules"] if rule["not_emitted"]})
        assert {rule["emitted"] for rule in one["rules"]} == {0}
    rules = ("span shot", "span work starts", "span work ends")
    assert found[0] == {rule: {"its span is not sampled": 1} for rule in rules}
    assert found[1] == {rule: {"there is no SDK: no tracer provider is set": 1} for rule in rules}


def test_failures_are_counted_with_the_first_error_and_its_location_and_whether_the_rule_is_disabled(
    report, tmp_path: Path
):
    spec = """
    hooks:
      work: {call: "HOST:work"}
    spans:
      order: {key: order.list, start: work.enter, end: work.return}
      name:
        around: work
        attributes:
          fine: order.id
          bad: order.bad
    """
    source = HOST + "\nclass Bad(Order):\n    list = []\n    @property\n    def bad(self): raise KeyError('no')\n"

    def act(host: Any) -> None:
        for number in range(1001):
            host.work(host.Bad(number))

    rules = report(spec, act, source)["by"]
    assert rules["span order starts"]["failures"] == 1000
    assert rules["span order starts"]["disabled"] == [f"{tmp_path / 'spec.yaml'}:6"]
    assert "TypeError: " in rules["span order starts"]["first_failure"]
    work = rules["span name starts"]
    place = f"{tmp_path / 'spec.yaml'}:11"
    assert (work["emitted"], work["failures"], work["disabled"]) == (1001, 1000, [place])
    assert work["first_failure"] == f"{place}: KeyError: 'no'"
    assert reads(work) == {"attribute fine": (1001, 1001), "attribute bad": (0, 1001)}


def test_spans_that_ended_early_are_counted_by_what_ended_them(report):
    spec = """
    hooks: {begin: {call: "HOST:begin"}, end: {call: "HOST:end"}, many: {call: "HOST:many"}}
    spans: {order: {key: {value: order.id, max_open: 2}, owner: trace, start: begin.enter, end: end.enter}}
    owners: {trace: {object: order.trace, closes: {at: many.enter, object: orders}}}
    """

    def act(host: Any) -> None:
        owner = host.Order(0)
        orders = [host.Order(number) for number in (1, 2, 3, 3)]
        for order in orders:
            order.trace = owner
            host.begin(order)
        host.many(owner)

    assert report(spec, act)["ended_early"] == {"order": {"limit": 1, "replaced": 1, "trace_closed": 2}}


def test_calls_in_many_threads_are_each_counted(report):
    before = sys.getswitchinterval()

    def act(host: Any) -> None:
        order = host.Order(1)
        threads = [threading.Thread(target=lambda: [host.work(order) for _ in range(300)]) for _ in range(8)]
        sys.setswitchinterval(1e-6)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(before)

    rules = report('spans: {work: {around: "HOST:work", attributes: {id: order.id}}}', act)["by"]
    assert {name: counts(rule) for name, rule in rules.items()} == {
        "span work starts": (2400, 2400, 2400),
        "span work ends": (2400, 2400, 2400),
    }
    assert reads(rules["span work starts"]) == {"attribute id": (2400, 2400)}


def test_generators_coroutines_and_raising_calls_are_counted(report):
    source = """
    import asyncio
    async def wait(order): return order
    def steps(order): yield order
    def fail(order): raise ValueError(order)
    """
    spec = """
    spans:
      wait: {around: "HOST:wait", attributes: {got: result.id}}
      steps: {around: "HOST:steps"}
      fail: {around: "HOST:fail", attributes: {got: result.id, type: type_name(error)}}
    """

    def act(host: Any) -> None:
        host.asyncio.run(host.wait(1))
        assert list(host.steps(1)) == [1]
        with pytest.raises(ValueError, match="1"):
            host.fail(1)

    rules = report(spec, act, source)["by"]
    assert {counts(rule) for rule in rules.values()} == {(1, 1, 1)}
    assert reads(rules["span wait ends"]) == {"attribute got": (0, 1)}
    assert reads(rules["span fail ends"]) == {"attribute got": (0, 0), "attribute type": (1, 1)}


def test_a_spec_that_is_not_active_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec_file, tracing):
    file = tmp_path / "report.txt"
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_REPORT", str(file))
    wrong = spec_file("spans: {a: {arround: 'm:f'}}", file="wrong.yaml")
    away = spec_file("target: {distribution: not-there}\nspans: {a: {around: 'm:f'}}", file="away.yaml")
    old = spec_file("target: {distribution: pytest, version: '<1'}\nspans: {a: {around: 'm:f'}}", file="old.yaml")
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider, specs=[wrong, away, old, tmp_path / "none.yaml"])
    instrumentor.uninstrument()
    written = file.read_text()
    assert f'wrong.yaml ({wrong}): left out\n  {wrong}:3:13: error[unknown-key]: "arround" is not a key' in written
    assert f"away.yaml ({away}): left out\n  not-there is not installed\n" in written
    assert (
        f"old.yaml ({old}): left out\n  pytest {pytest.__version__} is installed, and this spec is for <1\n" in written
    )
    assert f"none.yaml ({tmp_path / 'none.yaml'}): left out\n" in written


def test_without_a_report_the_generated_source_counts_nothing(
    make_module, instrumented, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The source itself is compared in ``test_wrappers``; that nothing is imported, in ``test_report_processes``."""
    module = make_module(HOST)
    sources = []
    for where in (None, str(tmp_path / "report.txt"), None):
        if where is None:
            monkeypatch.delenv("OTEL_PYTHON_DECLARATIVE_REPORT", raising=False)
        else:
            monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_REPORT", where)
        with instrumented(EVERY_KIND, module) as instrumentor:
            sources.append(instrumentor._active.sources)
    assert sources[0] == sources[2] != sources[1]
    counting = ("reached()", "matched()", "emitted()", "noted(", "not_emitted()")
    assert not [line for source in sources[0].values() for line in source.splitlines() if line.strip() in counting]


def test_a_counter_starts_again_in_a_child_and_references_to_its_add_stay_valid():
    counter = Counter()
    add = counter.add
    add(), add()
    assert counter.value == 2
    counter.reset_after_fork()
    assert counter.value == 0
    add()
    assert (counter.value, counter.value) == (1, 1)


def test_the_text_has_what_may_need_attention_before_the_table_of_all_rules():
    def rule(kind: Any, name: str, part: Any, line: int, **more: Any) -> RuleStatus:
        id = RuleId(kind, name, Mark("/specs/shop.yaml", line, 1), part)
        return RuleStatus(id, ["shop:buy"], **{"state": "installed", **more})

    spec = SpecStatus(
        "shop",
        "/specs/shop.yaml",
        "active",
        rules=[
            rule("span", "buy", "start", 4, reached=2, matched=2, emitted=2),
            rule("span", "buy", "end", 4, reached=2, matched=2, emitted=2),
            rule("span", "sell", "start", 6, why=["shop:sell was not called"]),
            rule("span", "sell", "end", 6, why=["its span never started, or its call is still running"]),
            rule(
                "event",
                "sold",
                None,
                8,
                reached=1200,
                matched=1200,
                not_emitted={"no span is open under its key": 1200},
            ),
        ],
    )
    report = as_text(Occasion("app.py", 7, "at exit", "2026-01-01T00:00:00Z"), [spec])
    assert report == (
        "instrument report · app.py · process 7 · at exit · 2026-01-01T00:00:00Z\n"
        "\n"
        "shop (/specs/shop.yaml): 5 rules · 3 matched · 2 emitted\n"
        "\n"
        "  never matched\n"
        "    shop:sell was not called\n"
        "      shop.yaml:6  span sell starts\n"
        "\n"
        "  matched, but without effect\n"
        "    shop.yaml:8  event sold: matched 1,200 times: no span is open under its key (1,200)\n"
        "\n"
        "  all rules\n"
        "                                   state      matched  emitted  failed\n"
        "    shop.yaml:4  span buy starts   installed        2        2\n"
        "    shop.yaml:4  span buy ends     installed        2        2\n"
        "    shop.yaml:6  span sell starts  installed        0        0\n"
        "    shop.yaml:6  span sell ends    installed        0        0\n"
        "    shop.yaml:8  event sold        installed    1,200        0\n"
        "                   not emitted: no span is open under its key (1,200)\n"
    )


def test_a_report_without_a_spec_says_that_none_is_active():
    report = as_text(Occasion("app.py", 7, "at exit", "now"), [])
    assert "No spec is active" in report


def test_values_that_are_not_loaded_are_one_line():
    report = as_text(Occasion("app.py", 7, "at exit", "now", {"sqlalchemy": 2, "django": 1}), [])
    assert report.split("\n\n")[1] == (
        "values that were missing because reading them would have loaded them: sqlalchemy (2 times), django (once)"
    )


def test_shipped_specs_that_nobody_asked_for_are_one_line():
    unused = [SpecStatus(name, f"/{name}.yaml", "waiting", "it", requested=False) for name in ("openai", "mcp")]
    asked = SpecStatus("ag2", "/ag2.yaml", "waiting", "ag2 was not imported")
    report = as_text(Occasion("app.py", 7, "at exit", "now"), [unused[0], asked, unused[1]])
    assert report.split("\n\n")[1:] == [
        "ag2 (/ag2.yaml): waiting\n  ag2 was not imported",
        "shipped specs of libraries that were not imported: openai, mcp\n",
    ]
