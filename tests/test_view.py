"""``instrument view`` in the terminal: the story, failures, open spans, trees, filters, and what cannot be read."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.exporters.tree_text import TreeText
from opentelemetry.instrumentation.declarative.view.following import FollowedFile, screen
from opentelemetry.instrumentation.declarative.view.report import Report
from opentelemetry.instrumentation.declarative.view.selection import Selection

from . import recorded_spans as spans
from .recorded_spans import record

View = Callable[..., tuple[int, str, str]]


@pytest.fixture
def view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> View:
    """View a file with this content; returns the exit code, and what is printed to standard output and error."""
    file = tmp_path / "spans.jsonl"

    def run(content: str | bytes, *options: str) -> tuple[int, str, str]:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        code = main(["view", str(file), *options])
        return code, *capsys.readouterr()

    return run


STORY = """\
story
+0.0000 s  coordinator joins
+0.0010 s  researcher joins
+0.0020 s  coordinator opens consulting #1 with researcher
+0.0030 s  application asks coordinator · 47.00 ms
+0.0040 s    coordinator uses delegate · 36.00 ms
+0.0050 s      coordinator → researcher in consulting #1
+0.0070 s        researcher answers · 13.00 ms
+0.0080 s          researcher calls a model × 5 · 5.00 ms
+0.0210 s          researcher → coordinator in consulting #1
+0.0450 s    coordinator uses publish · 1.00 ms · ERROR PermissionError: read-only
+0.0500 s  coordinator answers application
+0.0600 s  consulting #1 closed · complete
"""


def test_the_story_of_a_network_is_in_order_of_time_and_names_its_agents(view: View):
    assert view(spans.lines(spans.network()), "--show", "story") == (0, STORY, "")


@pytest.mark.parametrize("indent", [None, 2], ids=["a line", "a document of many lines"])
def test_otlp_in_json_tells_the_same_story(view: View, indent: int | None):
    content = json.dumps(spans.otlp(spans.network()), indent=indent)
    assert view(content, "--show", "story") == (0, STORY.replace("application", "shop"), "")


def test_failures_come_first_and_name_the_agent(view: View):
    _, out, _ = view(spans.lines(spans.network()))
    sections = out.split("\n\n")
    assert sections[0] == (
        "2026-01-02 03:04:05 UTC · 100.00 ms · 14 spans · 6 traces · 2 agents · 2 messages · 5 model calls\n"
        "  · 2 tool calls"
    )
    assert sections[1] == "1 failure\n+0.0450 s coordinator: execute_tool publish PermissionError: read-only [0004]"


def test_a_trace_is_a_tree_with_links_in_both_directions_and_folded_siblings(view: View):
    _, out, _ = view(
        spans.lines(spans.network()), "--show", "traces", "--agent", "researcher", "--channel", "consulting"
    )
    tree = next(part for part in out.split("\n\n") if "invoke_agent researcher" in part and "chat" in part)
    ids = {word for word in tree.replace("[", " ").replace("]", " ").split() if word.startswith("ffff")}
    for id in ids:
        tree = tree.replace(id, f"T{int(id.lstrip('f') or '0', 16)}")
    assert tree.splitlines()[1:] == [
        "└─ network.envelope ag2.msg.text · producer · +0.00 ms · 1.00 ms",
        "   │ ↪ in_channel → network.channel consulting [0003]",
        "   │ ↪ triggered_by → execute_tool delegate [0004]",
        "   └─ invoke_agent researcher · +2.00 ms · 13.00 ms",
        "      │ ↩ triggered_by ← network.envelope ag2.msg.text [0006]",
        "      └─ chat demo · +3.00 ms · 1.00 ms",
        "           × 5 similar · 5.00 ms in all · 1.00 ms to 1.00 ms",
    ]


def test_similar_siblings_can_be_shown_one_by_one(view: View):
    _, out, _ = view(spans.lines(spans.network()), "--show", "traces", "--no-fold")
    assert out.count("chat demo") == 5


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--agent", "researcher"], 5),
        (["--agent", spans.RESEARCHER], 5),
        (["--channel", "consulting #1"], 6),
        (["--channel", spans.CHANNEL], 6),
        (["--errors"], 1),
        (["--trace", spans.trace_id(4)], 4),
        (["--since", "50ms"], 6),
        (["--until", "1ms"], 2),
        (["--until", "2026-01-02T03:04:05.001Z", "--agent", "coordinator"], 1),
    ],
)
def test_filters_select_lines_of_the_story(view: View, options: list[str], expected: int):
    code, out, _ = view(spans.lines(spans.network()), "--show", "story", *options)
    assert (code, len(out.splitlines()) - 1) == (0, expected), out


def test_a_filter_that_nothing_matches_is_reported(view: View):
    code, out, err = view(spans.lines(spans.network()), "--agent", "nobody")
    assert (code, out) == (1, "")
    assert "no span matches the filters" in err


def test_a_channel_has_its_type_also_if_a_message_in_it_comes_first(view: View):
    first, *others = [each for each in spans.network() if "channel_id" in str(each["attributes"])]
    _, out, _ = view(spans.lines([*others, {**first, "start": others[-1]["start"]}]), "--show", "story")
    assert (out.count("consulting #1"), out.count("thread")) == (4, 0)


def test_a_time_that_cannot_be_read_is_an_error(view: View):
    code, out, err = view(spans.lines(spans.network()), "--since", "noon")
    assert (code, out) == (1, "")
    assert "'noon' is not a time. Write it in ISO 8601" in err


def test_several_files_are_one_recording_and_problems_name_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text(spans.lines(spans.network()[:6]), encoding="utf-8")
    second.write_text(json.dumps(spans.otlp(spans.network()[6:]), indent=1) + "\n", encoding="utf-8")
    assert main(["view", str(first), str(second), "--show", "story"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (STORY, "")
    second.write_text("{}\n", encoding="utf-8")
    assert main(["view", str(first), str(second), "--show", "summary"]) == 0
    assert capsys.readouterr().err.startswith(f"{second}: line 1 is neither")


# ── Open spans ──


def test_spans_without_an_end_are_named_with_their_age_until_a_later_record_has_the_end(view: View):
    begun = record("network.channel chat", 1, 1, 0, None)
    other = record("other", 2, 2, 5, 2000)
    _, out, _ = view(spans.lines([begun, other]), "--show", "open")
    assert out.startswith(
        "1 span without an end\n+0.0000 s application: network.channel chat · open for at least 2.000 s"
    )
    ended = record("network.channel chat", 1, 1, 0, 10)
    for records in ([begun, ended], [ended, begun]):
        assert view(spans.lines(records), "--show", "open,traces")[1].splitlines()[1:] == [
            "└─ network.channel chat · +0.00 ms · 10.00 ms"
        ]


def test_the_open_span_that_others_wait_for_comes_first_and_ids_of_agents_are_names(view: View):
    in_channel = {"ag2.network.channel_id": spans.CHANNEL}
    lifetime = spans.agent("researcher", spans.RESEARCHER)
    pressure = {"at": spans.iso(6), "name": "inbox_pressure", "attributes": {"ag2.inbox.pending": 2}}
    turn = spans.agent("researcher", spans.RESEARCHER, "agent")
    error = {"status": "ERROR", "status_message": f"recipient '{spans.RESEARCHER}' is full"}
    records = [
        record("agent.lifetime researcher", 1, 1, 0, None, attributes=lifetime, events=[pressure]),
        record("network.channel chat", 2, 2, 1, None, attributes=spans.typed("channel", **in_channel)),
        record("invoke_agent researcher", 3, 3, 2, None, attributes=turn, links=[("by", 2, 2)]),
        record("execute_tool wait", 3, 4, 3, None, parent=3, attributes=spans.tool("wait")),
        record("send", 4, 5, 4, 5, **error),
    ]
    _, out, _ = view(spans.lines(records), "--show", "failures,open,story")
    failures, open_spans, story = out.split("\n\n")
    assert failures.endswith("send recipient 'researcher' is full [0004]")
    assert [line.partition(" · ")[0].split(": ")[1] for line in open_spans.splitlines()[1:]] == [
        "execute_tool wait",
        "invoke_agent researcher",
        "agent.lifetime researcher",
        "channel #1",
    ]
    assert "researcher has not answered · no end" in story
    assert "researcher inbox pressure · pending 2" in story


def test_a_pending_record_stands_for_the_open_span_that_is_its_parent(view: View):
    pending = record(
        "wait (pending)",
        1,
        9,
        3000,
        3000,
        parent=1,
        attributes={"instrument.pending.name": "wait", "instrument.pending.age": 3, "app.key": "k"},
    )
    _, out, _ = view(spans.lines([pending]), "--show", "traces", "--attributes")
    assert out.splitlines()[1:] == ["└─ wait · +0.00 ms · OPEN", "     app.key=k"]
    pending["attributes"]["instrument.pending.parent"] = f"{8:016x}"
    _, out, _ = view(spans.lines([pending, record("outer", 1, 8, 0, 4000)]), "--show", "traces")
    assert out.splitlines()[1:] == ["└─ outer · +0.00 ms · 4.000 s", "   └─ wait · +0.00 ms · OPEN"]
    _, out, _ = view(spans.lines([pending, record("wait", 1, 1, 0, 3500)]), "--show", "traces")
    assert out.splitlines()[1:] == ["└─ wait · +0.00 ms · 3.500 s"]


def test_spans_that_the_exit_of_the_process_ended_are_named_as_well(view: View):
    channel = record("network.channel chat", 1, 1, 0, 9, attributes=spans.typed("channel", instrument__end="shutdown"))
    _, out, _ = view(spans.lines([channel]), "--show", "open")
    assert out == (
        "1 span without an end\n+0.0000 s application: network.channel chat · ended by shutdown after 9.00 ms [0001]\n"
    )


# ── Other programs ──


def test_calls_between_services_are_a_story_too(view: View):
    outer = record("GET /", 1, 1, 0, 10, kind="SERVER")
    inner = record("POST /pay", 1, 2, 1, 9, parent=1, kind="SERVER", status="ERROR", status_message="declined")
    content = spans.lines([spans.otlp([outer], "shop"), spans.otlp([inner], "payment")])
    _, out, _ = view(content, "--show", "failures,story")
    assert "payment: POST /pay declined" in out
    assert out.partition("story\n")[2] == (
        "+0.0000 s  shop · GET / · 10.00 ms\n+0.0010 s    shop → payment · POST /pay · 8.00 ms · ERROR declined\n"
    )


def test_what_a_client_calls_takes_part_also_if_it_records_nothing_and_repeated_calls_are_one_entry(view: View):
    query = {"db.system.name": "postgresql", "server.address": "db.example"}
    records = [
        record("POST /order", 1, 1, 0, 20, kind="SERVER"),
        *(record("SELECT", 1, 2 + n, 1 + n, 2 + n, parent=1, kind="CLIENT", attributes=query) for n in range(4)),
        record("charge", 1, 7, 6, 16, parent=1, kind="CLIENT", attributes={"server.address": "pay.example"}),
        # The parts of a call are part of it, and a call whose server is recorded is that of the server.
        record("connect", 1, 8, 7, 8, parent=7, kind="CLIENT", attributes={"server.address": "10.0.0.1"}),
        record("send", 1, 9, 17, 19, parent=1, kind="PRODUCER", attributes={"messaging.system": "kafka"}),
    ]
    receiver = record("receive", 2, 10, 18, 19, links=[("", 1, 9)], kind="CONSUMER")
    content = spans.lines([spans.otlp(records, "shop"), spans.otlp([receiver], "mailer")])
    assert view(content, "--show", "times,story")[1].splitlines() == [
        "time by operation, without that of its children",
        " 43%     9.00 ms  shop: charge",
        " 19%     4.00 ms  shop: POST /order",
        " 19%     4.00 ms  shop: SELECT × 4 · median 1.00 ms · longest 1.00 ms",
        " 10%     2.00 ms  shop: send",
        "  5%     1.00 ms  shop: connect",
        "  5%     1.00 ms  mailer: receive",
        "",
        "story",
        "+0.0000 s  shop · POST /order · 20.00 ms",
        "+0.0010 s    shop → postgresql · SELECT × 4 · 4.00 ms",
        "+0.0060 s    shop → pay.example · charge · 10.00 ms",
        "+0.0180 s    shop → mailer · receive · 1.00 ms",
    ]


def test_a_failed_request_is_the_span_that_says_why(view: View):
    """The spans that an instrumentation of a web framework records: only that of the route has the exception."""
    failed = {"http.status_code": 500}
    cause = {"at": spans.iso(8), "name": "exception", "attributes": {"exception.type": "KeyError"}}
    records = [
        record(
            "GET", 1, 1, 0, 10, kind="CLIENT", status="ERROR", attributes={"http.url": "http://shop/order", **failed}
        ),
        record("GET /order", 1, 2, 1, 9, parent=1, kind="SERVER", status="ERROR", events=[cause]),
        record("GET", 1, 3, 2, 7, parent=2, kind="CLIENT", status="ERROR", attributes=failed),
        record("GET /order http send", 1, 4, 8, 9, parent=2, status="ERROR", attributes=failed),
        record("GET /ping", 2, 5, 20, 30, kind="SERVER", status="ERROR", attributes=failed),
        record("GET /ping http send", 2, 6, 28, 29, parent=5, status="ERROR", attributes=failed),
    ]
    _, out, _ = view(spans.lines(records), "--show", "failures,story")
    assert out.splitlines() == [
        "2 failures",
        "+0.0010 s application: GET /order KeyError [0001]",
        "+0.0200 s application: GET /ping HTTP 500 [0002]",
        "",
        "story",
        "+0.0000 s  application · GET · http://shop/order · 10.00 ms · ERROR HTTP 500",
        "+0.0010 s    application · GET /order · 8.00 ms · ERROR KeyError",
        "+0.0200 s  application · GET /ping · 10.00 ms · ERROR HTTP 500",
    ]


def test_parents_that_are_missing_and_cycles_of_parents_and_links_are_shown(view: View):
    loop = [
        record("one", 1, 1, 0, 1, parent=2, links=[("by", 1, 2)], attributes=spans.tool("a")),
        record("two", 1, 2, 0, 1, parent=1, links=[("by", 1, 1)], attributes=spans.tool("b")),
    ]
    code, out, _ = view(spans.lines([*loop, record("three", 1, 3, 0, 1, parent=9)]))
    assert code == 0
    assert "parent 0000000000000009 is not among these spans" in out
    assert "↪ by → two" in out


def test_spans_may_be_nested_deeper_than_the_stack_of_python(view: View):
    chain = [record(f"n{n}", 1, n + 1, 0, 1, parent=n or None, status="ERROR") for n in range(3000)]
    code, out, _ = view(spans.lines(chain), "--show", "failures,story,traces")
    assert (code, "(3000 deep) n2999" in out) == (0, True)
    assert out.startswith("1 failure\n+0.0000 s application: n2999")


# ── What cannot be read ──


def test_broken_lines_are_named_and_the_others_are_shown(view: View):
    good = spans.lines([record("good", 1, 1, 0, 1)])
    no_id = spans.lines([{**record("bad", 1, 2, 0, 1), "trace_id": "<script>"}])
    no_time = spans.lines([{**record("bad", 1, 2, 0, 1), "start": "yesterday"}])
    batch = spans.otlp([record("bad", 1, 3, 0, 1, links=[("by", 1, 1)]), record("good", 1, 4, 0, 1)])
    batch["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["links"][0]["traceId"] = ""
    code, out, err = view(good + "{oops\n" + spans.lines([batch]) + no_id + no_time + "[1]\n" + good + '{"name": "cut')
    assert (code, out.count("good")) == (0, 6)  # two, each among the times, in the story and in the trace
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        "line 2 is not JSON",
        "line 3 has a span that has no trace id of 32 hexadecimal digits",
        "line 4 has no trace id of 32 hexadecimal digits",
        "line 5 has the time 'yesterday', which is not in ISO 8601",
        "line 6 is neither a span of AG2's spans.jsonl nor OTLP in JSON",
        "the last line is incomplete, as in a file that is being written",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty"),
        ("[]", "is empty"),
        ('{"resourceSpans": [{"resource": {', "has no complete line: the first one is cut off"),
        ("name,duration\nx,1\n", "line 1 is not JSON"),
        ('{"data": [{"traceID": "1"}]}\n', "line 1 is neither a span of AG2's spans.jsonl nor OTLP in JSON"),
        ('{"resourceMetrics": []}\n', "only metrics or logs"),
        ('{"resourceSpans": ' + "[" * 100_000 + "\n", "line 1 is nested too deeply"),
    ],
)
def test_a_file_without_spans_is_an_error_that_says_why(view: View, content: str, expected: str):
    code, out, err = view(content)
    assert (code, out) == (1, "")
    assert expected in err


@pytest.mark.parametrize(
    "write",
    [
        lambda document: json.dumps([document]).encode(),
        lambda document: (json.dumps(document) + "\r\n").encode("utf-16"),
        lambda document: json.dumps({"batches": document["resourceSpans"]}).encode(),
        lambda document: json.dumps({"trace": document}).encode(),
    ],
    ids=["a list", "UTF-16", "a download from Tempo", "an answer of Tempo"],
)
def test_otlp_is_read_as_other_tools_write_it(view: View, write: Callable[[spans.Record], bytes]):
    content = write(spans.otlp(spans.network()))
    assert view(content, "--show", "story") == (0, STORY.replace("application", "shop"), "")


def test_compressed_files_are_read_also_if_their_end_is_missing(view: View):
    data = gzip.compress(spans.lines(spans.network()).encode())
    assert view(data, "--show", "story") == (0, STORY, "")
    code, _, err = view(gzip.compress(spans.lines(spans.network()).encode() + b" " * 100_000)[:-20], "--show", "story")
    assert (code, err) == (0, "the last line is incomplete, as in a file that is being written: it is left out.\n")


def test_no_value_can_affect_the_terminal_or_exceed_its_width(view: View):
    evil = "\x1b[2J\u202e\u2028\x00" + "x" * 500 + "\ud800 "
    attributes = spans.agent(evil, evil) | {"gen_ai.tool.call.arguments": evil, evil: evil}
    bad = [
        record(evil, 1, 1, 0, 1, attributes=attributes, status="ERROR", status_message=evil, kind=evil),
        record(evil, 1, 2, 0, None, attributes=attributes, links=[(evil, 1, 1)], parent=1),
    ]
    code, out, _ = view(spans.lines(bad), "--attributes")
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())
    assert max(map(len, out.splitlines())) <= 110


# ── A file that is being written ──


def test_a_file_is_followed_while_it_is_written_and_replaced(tmp_path: Path):
    path = tmp_path / "spans.jsonl"
    followed = FollowedFile(str(path))
    followed.poll()
    first, second, third, fourth = (spans.lines([record(f"span {n}", n, n, n, n + 1)]) for n in range(1, 5))
    path.write_text(first + second[:50], encoding="utf-8")
    followed.poll()
    assert [span.name for span in followed.recording.spans] == ["span 1"]
    with path.open("a", encoding="utf-8") as file:
        file.write(second[50:])
    followed.poll()
    with path.open("a", encoding="utf-8") as file:
        file.write(third)
    path.rename(tmp_path / "spans.jsonl.1")
    path.write_text(fourth, encoding="utf-8")
    followed.poll()
    assert [span.name for span in followed.recording.spans] == ["span 1", "span 2", "span 3", "span 4"]
    assert followed.recording.broken_count == 0
    followed.close()


def test_a_screen_has_what_fails_or_is_open_and_the_latest_of_the_story(tmp_path: Path):
    path = tmp_path / "spans.jsonl"
    path.write_text(spans.lines(spans.network()), encoding="utf-8")
    followed = FollowedFile(str(path))
    followed.poll()
    followed.close()
    shown = [*screen(Report(followed.recording.spans, Selection(), TreeText(False, 80)), 10)]
    assert (len(shown), shown[-1]) == (10 - 1, "+0.0600 s  consulting #1 closed · complete")
    assert "1 failure" in shown


def test_only_a_terminal_can_follow(view: View):
    code, out, err = view("", "--follow")
    assert (code, out, err) == (2, "", "instrument view: --follow needs a terminal, and one FILE or --listen.\n")
