"""Log records that are emitted at a moment, through OpenTelemetry's logs API."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.testing.log_recorder import LogRecorder
from opentelemetry.instrumentation.utils import suppress_instrumentation

from tests.processes import PACKAGE

HOST = """
class Shop:
    def pay(self, amount, note="", fails=None):
        if fails: raise fails
        return {"amount": amount, "lines": [1, None, object]}
    def open(self, id): return id
    def pack(self, parcel): return parcel
    def close(self, id): return id
    def read(self): yield from ("a", "b")
    async def wait(self): return 1
"""
HOOKS = """
hooks:
  pay: {call: "HOST:Shop.pay"}
  open: {call: "HOST:Shop.open"}
  pack: {call: "HOST:Shop.pack"}
  close: {call: "HOST:Shop.close"}
  read: {call: "HOST:Shop.read"}
  wait: {call: "HOST:Shop.wait"}
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_a_record_has_its_name_severity_body_and_attributes(module, recorded):
    spec = """
logs:
  shop.refused:
    at: pay.raise
    severity: warn2
    body: 'f"{amount} was refused"'
    attributes: {shop.error: str(error), shop.no: None}
"""
    with recorded(HOOKS + spec, module) as trace, pytest.raises(ValueError, match="no"):
        module.Shop().pay(5, fails=ValueError("no"))
    (log,) = trace.logs
    assert log[:4] == ("shop.refused", "WARN2", "5 was refused", {"shop.error": "no"})
    assert (log.scope, log.trace_id, log.span_id) == ("instrument.test", 0, 0)


def test_a_record_has_a_fixed_body(module, recorded):
    spec = """
logs:
  shop.text: {at: pay.enter, body: {const: it's paid}}
  shop.texts: {at: pay.enter, body: {const: [a, b]}}
"""
    with recorded(HOOKS + spec, module) as trace:
        module.Shop().pay(5)
    assert [log[2] for log in trace.logs] == ["it's paid", ["a", "b"]]


def test_a_record_is_in_the_span_of_the_call(module, recorded):
    spec = """
spans: {payment: {around: pay}, waiting: {around: wait}, reading: {around: read}}
logs:
  before: {at: pay.enter}
  after: {at: pay.return}
  waited: {at: wait.return}
  item: {at: read.item, body: last_item}
"""
    with recorded(HOOKS + spec, module) as trace:
        module.Shop().pay(5)
        asyncio.run(module.Shop().wait())
        assert [*module.Shop().read()] == ["a", "b"]
    payment, waiting, reading = (trace.span(name).get_span_context() for name in ("payment", "waiting", "reading"))
    assert [(log.event_name, log.span_id, log.trace_id) for log in trace.logs] == [
        ("before", payment.span_id, payment.trace_id),
        ("after", payment.span_id, payment.trace_id),
        ("waited", waiting.span_id, waiting.trace_id),
        ("item", reading.span_id, reading.trace_id),
        ("item", reading.span_id, reading.trace_id),
    ]
    assert [log.body for log in trace.logs] == [None, None, None, "a", "b"]


def test_a_record_can_be_in_the_span_around_the_call_or_in_the_root(module, recorded):
    spec = """
spans: {payment: {around: pay}}
logs:
  of_parent: {at: pay.enter, of: parent}
  of_root: {at: pay.enter, of: root}
"""
    with recorded(HOOKS + spec, module) as trace:
        tracer = trace.provider.get_tracer("app")
        with tracer.start_as_current_span("request") as root, tracer.start_as_current_span("view") as view:
            module.Shop().pay(5)
    spans = [each.get_span_context().span_id for each in (view, root)]
    assert [(log.event_name, log.span_id) for log in trace.logs] == [
        ("of_parent", spans[0]),
        ("of_root", spans[1]),
    ]


def test_a_record_of_a_span_is_in_the_span_with_its_key(module, recorded):
    spec = """
spans:
  parcel:
    key: id
    start: open.enter
    end: close.exit
logs:
  shop.packed: {at: pack.enter, of: {span: parcel, key: parcel}, body: parcel}
"""
    with recorded(HOOKS + spec, module) as trace:
        shop = module.Shop()
        shop.open(1), shop.open(2), shop.pack(2), shop.pack(3), shop.close(1), shop.close(2)
    second = sorted(trace.spans, key=lambda span: span.start_time)[1]
    assert [(log.body, log.span_id) for log in trace.logs] == [(2, second.get_span_context().span_id)]


def test_a_condition_decides_whether_a_record_is_emitted(module, recorded):
    spec = "logs: {paid: {at: [pay.enter, pay.return], when: amount > 1, event_name: shop.paid, body: amount}}"
    with recorded(HOOKS + spec, module) as trace:
        module.Shop().pay(1)
        module.Shop().pay(2)
    assert [(log.event_name, log.body) for log in trace.logs] == [("shop.paid", 2), ("shop.paid", 2)]


def test_a_body_keeps_its_structure(module, recorded):
    with recorded(HOOKS + "logs: {paid: {at: pay.return, body: result}}", module) as trace:
        module.Shop().pay(2)
    assert trace.logs[0].body == {"amount": 2, "lines": [1, None, "object"]}


@pytest.mark.parametrize(
    ("content", "body", "attributes"),
    [(None, None, {}), ("full", "a secret", {"shop.note": "a secret"}), ("truncate:3", "a s", {"shop.note": "a s"})],
)
def test_a_body_and_attributes_can_be_content(module, recorded, content, body, attributes):
    spec = """
logs:
  paid: {at: pay.return, body: {value: note, content: true}, attributes: {shop.note: {value: note, content: true}}}
"""
    with recorded(HOOKS + spec, module, content=content) as trace:
        module.Shop().pay(2, "a secret")
    assert (trace.logs[0].body, trace.logs[0].attributes) == (body, attributes)


@pytest.mark.parametrize(
    ("amount", "attributes"), [(1, {"shop.kind": "paid"}), (5, {"shop.kind": "paid", "shop.large": 5})]
)
def test_attributes_of_a_record_can_be_in_groups_and_fixed(module, recorded, amount: int, attributes):
    spec = """
logs:
  paid:
    at: pay.return
    attributes: {shop.kind: {const: paid}}
    attribute_groups: {large: {when: amount > 2, attributes: {shop.large: amount}}}
"""
    with recorded(HOOKS + spec, module) as trace:
        module.Shop().pay(amount)
    assert trace.logs[0].attributes == attributes


def test_an_exception_in_an_expression_does_not_reach_the_program(module, recorded):
    spec = "logs: {paid: {at: pay.return, body: 1 / amount, attributes: {shop.amount: amount}}}"
    with recorded(HOOKS + spec, module, strict=False) as trace:
        assert module.Shop().pay(0)["amount"] == 0
    assert [(log.body, log.attributes) for log in trace.logs] == [(None, {"shop.amount": 0})]


def test_nothing_is_emitted_while_instrumentation_is_suppressed(module, recorded):
    with recorded(HOOKS + "logs: {paid: {at: pay.return}}", module) as trace, suppress_instrumentation():
        module.Shop().pay(1)
    assert trace.logs == ()


def test_the_instrumentor_takes_a_logger_provider(module, spec_file, tracing):
    logs = LogRecorder()
    file = spec_file(HOOKS + "scope: {name: com.example.shop}\nlogs: {paid: {at: pay.return}}", module)
    DeclarativeInstrumentor().instrument(specs=[file], tracer_provider=tracing.provider, logger_provider=logs.provider)
    try:
        module.Shop().pay(1)
    finally:
        DeclarativeInstrumentor().uninstrument()
    assert [(log.event_name, log.scope) for log in logs.records] == [("paid", "com.example.shop")]


def test_a_record_in_a_span_that_is_not_sampled_is_emitted(module, recorded):
    spec = "spans: {payment: {around: pay, sample: {ratio: 0}}}\nlogs: {paid: {at: pay.return}}"
    with recorded(HOOKS + spec, module) as trace:
        module.Shop().pay(1)
    assert (trace.spans, [log.event_name for log in trace.logs]) == ((), ["paid"])


def test_without_a_logger_provider_nothing_is_read_and_without_log_records_nothing_is_imported(
    package, spec_file, tmp_path
):
    name = package("class Note:\n    def __str__(self): print('read')\ndef pay(note): return 1\n")
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from {PACKAGE} import DeclarativeInstrumentor
DeclarativeInstrumentor().instrument(specs=[sys.argv[1]])
import {name}
print({name}.pay({name}.Note()), "opentelemetry._logs" in sys.modules)
"""
    for rules in (
        "logs: {paid: {at: pay.return, body: str(note)}}",
        "enrich: {current: {events: {paid: {at: pay.return}}}}",
    ):
        file = spec_file(f'hooks: {{pay: {{call: "{name}:pay"}}}}\n{rules}')
        done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["1", str(rules.startswith("logs"))], done.stderr


def test_a_report_counts_the_records(module, spec_file, tmp_path):
    logs, report = LogRecorder(), tmp_path / "report.json"
    file = spec_file(HOOKS + "logs: {paid: {at: pay.return, when: amount > 1}}", module)
    DeclarativeInstrumentor().instrument(specs=[file], logger_provider=logs.provider, report=str(report))
    try:
        for amount in (1, 2, 3):
            module.Shop().pay(amount)
        with suppress_instrumentation():
            module.Shop().pay(4)
    finally:
        DeclarativeInstrumentor().uninstrument()
    text = report.read_text()
    assert len(logs.records) == 2
    assert ("log record paid" in text, "no log records are wanted" in text) == (True, True), text


def test_a_record_of_a_request_of_httpx(traced):
    httpx = pytest.importorskip("httpx")
    spec = """
instrument: 2
name: client
hooks:
  send: {call: "httpx:Client.send"}
spans:
  request: {around: send, kind: client, name: '{request.method}'}
logs:
  client.response:
    at: send.return
    when: result.status_code >= 400
    severity: error
    body: 'f"{request.method} {result.status_code}"'
    attributes: {http.response.status_code: result.status_code}
"""
    transport = httpx.MockTransport(lambda request: httpx.Response(404 if request.url.path == "/no" else 200))
    with traced(spec) as trace, httpx.Client(transport=transport) as client:
        client.get("http://shop/yes")
        client.get("http://shop/no")
    (log,) = trace.logs
    assert log[:4] == ("client.response", "ERROR", "GET 404", {"http.response.status_code": 404})
    assert log.span_id == trace.spans[1].get_span_context().span_id
