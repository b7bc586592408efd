"""Files of spans for the tests of ``instrument view``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
COORDINATOR, RESEARCHER = "a" * 32, "b" * 32
CHANNEL, QUESTION, ANSWER = "c" * 32, "d" * 32, "e" * 32

Record = dict[str, Any]


def trace_id(number: int) -> str:
    return f"{number:04x}" + 28 * "f"


def iso(milliseconds: float) -> str:
    return (START + timedelta(milliseconds=milliseconds)).isoformat().replace("+00:00", "Z")


def record(name: str, trace: int, span: int, start: float, end: float | None, **fields: Any) -> Record:
    """A record of AG2's spans.jsonl. ``links`` are (kind, trace, span)."""
    parent, links = fields.pop("parent", None), fields.pop("links", ())
    return {
        "name": name,
        "trace_id": trace_id(trace),
        "span_id": f"{span:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "start": iso(start),
        "end": None if end is None else iso(end),
        "kind": "INTERNAL",
        "status": "UNSET",
        "status_message": None,
        "attributes": {},
        "events": [],
        "links": [
            {"trace_id": trace_id(to_trace), "span_id": f"{to:016x}", "attributes": {"ag2.link.kind": kind}}
            for kind, to_trace, to in links
        ],
        **fields,
    }


def typed(type: str, **attributes: Any) -> Record:
    """The attributes of a span of AG2. In names, two underscores stand for a dot."""
    return {"ag2.span.type": type, **{key.replace("__", "."): value for key, value in attributes.items()}}


def network() -> list[Record]:
    """A coordinator asks a researcher, whose model answers, and then a tool of the coordinator fails."""
    channel = {"ag2.network.channel_id": CHANNEL}
    return [
        record("agent.lifetime coordinator", 1, 1, 0, 100, attributes=agent("coordinator", COORDINATOR)),
        record("agent.lifetime researcher", 2, 2, 1, 100, attributes=agent("researcher", RESEARCHER)),
        record(
            "network.channel consulting",
            3,
            3,
            2,
            60,
            attributes=typed("channel", **channel, ag2__network__manifest_type="consulting")
            | {"ag2.network.creator_id": COORDINATOR},
            events=[{"at": iso(60), "name": "closed", "attributes": {"reason": "complete"}}],
        ),
        record("invoke_agent coordinator", 4, 4, 3, 50, attributes=typed("agent", gen_ai__agent__name="coordinator")),
        record("execute_tool delegate", 4, 5, 4, 40, parent=4, attributes=tool("delegate")),
        record(
            "network.envelope ag2.msg.text",
            5,
            6,
            5,
            6,
            kind="PRODUCER",
            attributes=message(COORDINATOR, QUESTION, ag2__network__audience=[RESEARCHER]),
            links=[("in_channel", 3, 3), ("triggered_by", 4, 5)],
        ),
        record("invoke_agent researcher", 5, 7, 7, 20, parent=6, attributes=agent("researcher", RESEARCHER, "agent")),
        *(record("chat demo", 5, 8 + n, 8 + n, 9 + n, parent=7, attributes=typed("llm")) for n in range(5)),
        record(
            "network.envelope ag2.msg.text",
            6,
            20,
            21,
            22,
            attributes=message(RESEARCHER, ANSWER, ag2__network__causation_id=QUESTION),
            links=[("in_channel", 3, 3), ("triggered_by", 5, 7)],
        ),
        record(
            "execute_tool publish",
            4,
            21,
            45,
            46,
            parent=4,
            attributes=tool("publish"),
            status="ERROR",
            status_message="PermissionError: read-only",
        ),
    ]


def agent(name: str, id: str, type: str = "agent_lifetime") -> Record:
    return typed(type, ag2__agent__id=id, gen_ai__agent__name=name)


def tool(name: str) -> Record:
    return typed("tool", gen_ai__tool__name=name)


def message(sender: str, id: str, **attributes: Any) -> Record:
    shared = {"ag2.network.channel_id": CHANNEL, "ag2.network.sender_id": sender, "ag2.network.envelope_id": id}
    return typed("envelope", ag2__network__event_type="ag2.msg.text", **attributes) | shared


def lines(records: Iterable[Record]) -> str:
    return "".join(json.dumps(each) + "\n" for each in records)


def otlp(records: Iterable[Record], service: str = "shop") -> Record:
    """The same spans in OTLP's JSON form."""
    kinds, statuses = ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"), ("UNSET", "OK", "ERROR")
    spans = [
        {
            "traceId": each["trace_id"],
            "spanId": each["span_id"],
            "parentSpanId": each["parent_span_id"] or "",
            "name": each["name"],
            "kind": kinds.index(each["kind"]),
            "startTimeUnixNano": nanoseconds(each["start"]),
            "endTimeUnixNano": nanoseconds(each["end"]),
            "attributes": _pairs(each["attributes"]),
            "events": [
                {"timeUnixNano": nanoseconds(e["at"]), "name": e["name"], "attributes": _pairs(e["attributes"])}
                for e in each["events"]
            ],
            "links": [
                {"traceId": e["trace_id"], "spanId": e["span_id"], "attributes": _pairs(e["attributes"])}
                for e in each["links"]
            ],
            "status": {"code": statuses.index(each["status"]), "message": each["status_message"] or ""},
        }
        for each in records
    ]
    resource = {"attributes": _pairs({"service.name": service})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}]}


def nanoseconds(time: str | None) -> str:
    if time is None:
        return "0"
    since = datetime.fromisoformat(time.replace("Z", "+00:00")) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return str(since // timedelta(microseconds=1) * 1000)


def _pairs(attributes: Record) -> list[Record]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> Record:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}
