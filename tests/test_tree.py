"""The tree exporter, with real spans of the OpenTelemetry SDK."""

import io
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.declarative.exporters.tree import TreeSpanExporter, render
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator

MS = 1_000_000


class Ids(IdGenerator):
    """Consecutive ids, so that a whole drawing can be compared."""

    def __init__(self) -> None:
        self._trace_ids = itertools.count(0xA)
        self._span_ids = itertools.count(0x1)

    def generate_span_id(self) -> int:
        return next(self._span_ids)

    def generate_trace_id(self) -> int:
        return next(self._trace_ids) << 112


class App(SpanExporter):
    """A program that makes spans, and its ended spans."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        provider = TracerProvider(id_generator=Ids(), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self))
        self.tracer = provider.get_tracer("test")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    def span(self, name: str, start: int = 0, end: int = 1, parent: Any = None, **rest: Any) -> trace.Span:
        """Make an ended span; ``start`` and ``end`` are in milliseconds."""
        context = trace.set_span_in_context(parent) if parent is not None else None
        made = self.tracer.start_span(name, context=context, start_time=1 + start * MS, **rest)
        made.end(1 + end * MS)
        return made


def printed(exporter: TreeSpanExporter, spans: Sequence[ReadableSpan], out: io.StringIO) -> str:
    exporter.export(spans)
    exporter.shutdown()
    return out.getvalue()


@pytest.fixture
def app() -> App:
    return App()


def unknown_context(span_id: int, *, is_remote: bool) -> trace.SpanContext:
    return trace.SpanContext(0xC << 112, span_id, is_remote=is_remote, trace_flags=trace.TraceFlags(1))


def test_a_trace_is_drawn_as_a_tree_in_order_of_start(app: App):
    root = app.span("checkout", 0, 20, kind=trace.SpanKind.SERVER, attributes={"shop.items": 2, "shop.who": "a guest"})
    pay = app.span("pay", 8, 18, parent=root, kind=trace.SpanKind.CLIENT)
    app.span("reserve", 1, 7, parent=root, attributes={"shop.sku": "x-1"})
    app.span("authorise", 9, 10, parent=pay, attributes={"bank": "b"})
    assert render(app.spans) == (
        "trace 000a · 20.00 ms · 4 spans\n"
        "└─ checkout · server · 20.00 ms\n"
        '   │ shop.items=2 shop.who="a guest"\n'
        "   ├─ reserve · 6.00 ms\n"
        "   │    shop.sku=x-1\n"
        "   └─ pay · client · 10.00 ms\n"
        "      └─ authorise · 1.00 ms\n"
        "           bank=b\n"
    )


def test_traces_are_drawn_in_order_of_start(app: App):
    app.span("second", 5, 6)
    app.span("first", 1, 9)
    headings = [line for line in render(app.spans).splitlines() if line.startswith("trace")]
    assert headings == ["trace 000b · 8.00 ms · 1 span", "trace 000a · 1.00 ms · 1 span"]


def test_events_are_drawn_below_their_span(app: App):
    made = app.tracer.start_span("channel")
    made.add_event("opened")
    made.add_event("closed", {"reason": "all said", "left": 0})
    made.end()
    assert render(app.spans).splitlines()[2:] == ["     • opened", '     • closed reason="all said" left=0']


def test_a_link_is_drawn_with_its_kind_or_else_its_attributes_and_its_target(app: App):
    channel = app.span("network.channel consulting").get_span_context()
    link = trace.Link(channel, {"ag2.link.kind": "in_channel", "seat": 2})
    app.span("network.envelope", links=[link, trace.Link(channel, {"batch": 3})])
    assert render(app.spans).splitlines()[-2:] == [
        "     ↪ in_channel → network.channel consulting [000a] seat=2",
        "     ↪ batch=3 → network.channel consulting [000a]",
    ]


def test_a_link_to_an_unknown_span_shows_the_ids(app: App):
    app.span("this", links=[trace.Link(unknown_context(0xBEEF, is_remote=True), {"x.link.kind": "caused_by"})])
    text = " ".join(render(app.spans).split())
    assert f"↪ caused_by → span 000000000000beef of trace 000c{'0' * 28}" in text


def test_an_error_is_drawn_with_its_description(app: App):
    made = app.tracer.start_span("pay", start_time=1)
    made.set_status(trace.Status(trace.StatusCode.ERROR, "card declined\nby the bank"))
    made.end(1 + MS)
    assert "└─ pay · 1.00 ms · ERROR card declined by the bank\n" in render(app.spans)


def test_the_lines_of_a_stack_trace_are_counted_and_not_shown(app: App):
    with pytest.raises(ValueError, match="no"), app.tracer.start_as_current_span("pay"):
        raise ValueError("no")
    text = render(app.spans)
    assert "exception.type=ValueError exception.message=no exception.stacktrace=(" in " ".join(text.split())
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("remote", "reason"), [(1, "is in another process"), (0, "has not ended or is not recorded in this process")]
)
def test_a_missing_parent_is_drawn_once_above_its_children(app: App, remote: int, reason: str):
    parent = trace.NonRecordingSpan(unknown_context(0xBEEF, is_remote=bool(remote)))
    app.span("one", 0, 1, parent)
    app.span("two", 2, 3, parent)
    assert render(app.spans) == (
        "trace 000c · 3.00 ms · 2 spans\n"
        f"└─ parent 000000000000beef {reason}\n"
        "   ├─ one · 1.00 ms\n"
        "   └─ two · 1.00 ms\n"
    )


def test_a_span_that_has_not_ended_can_be_drawn(app: App):
    made = app.tracer.start_span("waiting")
    assert isinstance(made, ReadableSpan)
    assert "└─ waiting · still open\n" in render([made])


def test_a_cycle_of_parents_is_drawn_once():
    one, two = unknown_context(1, is_remote=False), unknown_context(2, is_remote=False)
    cycle = [
        ReadableSpan("one", one, parent=two, start_time=1, end_time=3),
        ReadableSpan("two", two, parent=one, start_time=2, end_time=3),
        ReadableSpan(
            "itself", unknown_context(3, is_remote=False), parent=unknown_context(3, is_remote=False), start_time=3
        ),
    ]
    lines = render(cycle).splitlines()
    assert [line.split(" · ")[0] for line in lines[1:]] == ["└─ one", "   └─ two", "└─ itself"]


def test_calls_nested_deeper_than_the_stack_are_drawn_within_the_width(app: App):
    parent = None
    for number in range(2_000):
        parent = app.span(f"call-{number}", number, 5_000, parent=parent)
    text = render(app.spans)
    assert text.count("\n") == 2_001  # one line each
    assert "(2000 deep) call-1999" in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("width", [40, 72, 110, 200])
def test_long_attributes_wrap_within_the_width(app: App, width: int):
    root = app.span("a rather long name " * 4, attributes={f"key.number.{n}": "word " * 30 for n in range(8)})
    app.span("below", parent=root, attributes={"k" * 300: 1, "list": ["é" * 40] * 9})
    lines = render(app.spans, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) > 8


def test_a_value_is_shortened_to_about_sixty_columns(app: App):
    app.span("chat", attributes={"message": "x" * 5_000, "said": 'he said "hello" ' * 9, "nothing": ""})
    lines = [line.strip() for line in render(app.spans).splitlines()]
    assert f"message={'x' * 59}…" in lines
    assert any(line.startswith('said=\'he said "hello"') and '…\' nothing=""' in line for line in lines)


def test_trace_ids_have_as_many_digits_as_are_needed_to_distinguish_them():
    contexts = [trace.SpanContext((0xABCDEF << 104) | (number << 100), 1, False) for number in range(3)]
    spans = [ReadableSpan("it", context, start_time=1) for context in contexts]
    headings = [line.split(" · ")[0] for line in render(spans).splitlines() if line.startswith("trace")]
    assert headings == ["trace abcdef0", "trace abcdef1", "trace abcdef2"]


def test_control_characters_in_a_value_are_escaped(app: App):
    app.span("chat\x1b[2J", attributes={"say": "\x1b]0;owned\x07 \x9b31m \u202e\ud800", "line": "a\nb"})
    text = render(app.spans)
    assert text.replace("\n", "").isprintable()
    assert "chat\\x1b[2J" in text
    assert "line=a\\nb" in text


def test_colour_changes_nothing_but_colour(app: App):
    made = app.tracer.start_span("pay", attributes={f"key.{n}": "v" * 30 for n in range(9)})
    made.add_event("tried")
    made.set_status(trace.Status(trace.StatusCode.ERROR, "no"))
    made.end()
    coloured = render(app.spans, color=True)
    assert "\x1b[1;31m" in coloured
    plain = "".join(part.partition("m")[2] if number else part for number, part in enumerate(coloured.split("\x1b[")))
    assert plain == render(app.spans)


def test_the_exporter_prints_a_trace_when_its_root_has_ended_and_only_once(app: App):
    root = app.span("checkout")
    app.span("pay", parent=root)
    out = io.StringIO()
    exporter = TreeSpanExporter(out)
    assert exporter.export(app.spans[1:]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    assert out.getvalue() == ""
    assert exporter.export(app.spans[:1]) is SpanExportResult.SUCCESS
    assert out.getvalue() == "\n" + render(app.spans)
    exporter.shutdown()
    exporter.shutdown()
    assert out.getvalue() == "\n" + render(app.spans)
    assert exporter.export(app.spans) is SpanExportResult.FAILURE


def test_traces_that_are_exported_together_are_printed_in_order_of_start(app: App):
    sent = app.span("send", 5, 6)
    app.span("other", 0, 9)
    context = sent.get_span_context()
    remote = trace.SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=context.trace_flags)
    app.span("receive", 7, 8, parent=trace.NonRecordingSpan(remote))
    out = io.StringIO()
    TreeSpanExporter(out).export(app.spans)
    assert out.getvalue() == "\n" + render(app.spans)
    assert "   └─ receive" in out.getvalue()


def test_the_exporter_prints_at_shutdown_what_has_no_root(app: App):
    root = app.span("checkout")
    app.span("pay", parent=root)
    out = io.StringIO()
    printed(TreeSpanExporter(out), app.spans[1:], out)
    assert out.getvalue() == "\n" + render(app.spans[1:])


def test_the_exporter_prints_to_standard_output_by_default(app: App, capsys: pytest.CaptureFixture[str]):
    app.span("checkout")
    printed(TreeSpanExporter(), app.spans, io.StringIO())
    assert "└─ checkout · 1.00 ms" in capsys.readouterr().out


def test_nothing_is_printed_without_spans():
    out = io.StringIO()
    assert printed(TreeSpanExporter(out), [], out) == render([]) == ""


def test_of_a_trace_with_many_spans_the_first_and_the_latest_are_printed_and_the_others_counted(app: App):
    root = app.span("root", 0, 100)
    for number in range(9):
        app.span(f"span-{number}", number, parent=root)
    out = io.StringIO()
    text = printed(TreeSpanExporter(out, max_spans=5), [*app.spans[1:], app.spans[0]], out)
    shown = [line.split()[1] for line in text.splitlines() if "─ " in line]
    assert shown == ["root", "span-0", "span-1", "span-2", "span-8"]
    assert text.endswith("\n5 spans of this trace are not shown: only its first and its latest are kept.\n")


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("", True), ("1", False)])
def test_a_terminal_gets_colour_unless_no_color_is_set(
    app: App, monkeypatch: pytest.MonkeyPatch, no_color: str | None, coloured: bool
):
    monkeypatch.setenv("NO_COLOR", no_color or "")
    if no_color is None:
        monkeypatch.delenv("NO_COLOR")
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    app.span("checkout")
    assert ("\x1b[" in printed(TreeSpanExporter(out), app.spans, out)) is coloured


def test_an_ascii_terminal_gets_ascii_lines(app: App):
    root = app.span("checkout", attributes={"who": "Zoë"})
    app.span("pay", parent=root)
    raw = io.BytesIO()
    exporter = TreeSpanExporter(io.TextIOWrapper(raw, encoding="ascii"))
    exporter.export(app.spans)
    exporter.shutdown()
    assert "`- checkout - 1.00 ms" in raw.getvalue().decode("ascii")
    assert "who=Zo?" in raw.getvalue().decode("ascii")


def test_a_closed_stream_is_logged_and_raises_nothing(app: App, caplog: pytest.LogCaptureFixture):
    app.span("checkout")
    out = io.StringIO()
    exporter = TreeSpanExporter(out)
    out.close()
    exporter.export(app.spans)
    exporter.shutdown()
    assert "traces cannot be printed: I/O operation on closed file" in caplog.text
