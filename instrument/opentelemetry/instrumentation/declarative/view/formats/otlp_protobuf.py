"""Traces in OTLP's binary form. They are decoded to the JSON form, without a library for Protocol Buffers.

Only the fields that are viewed are in the tables; others are skipped.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.view.formats.fields import FormatError

_MAX_DEPTH = 64


class _Field(NamedTuple):
    """A field of a message: its name, its type or the message that it contains, and whether it is repeated."""

    name: str
    type: str
    repeated: bool = False


#: By message and number, from opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto.
_ATTRIBUTES = _Field("attributes", "KeyValue", True)
_MESSAGES: Mapping[str, Mapping[int, _Field]] = {
    "TracesData": {1: _Field("resourceSpans", "ResourceSpans", True)},
    "ResourceSpans": {1: _Field("resource", "Resource"), 2: _Field("scopeSpans", "ScopeSpans", True)},
    "Resource": {1: _ATTRIBUTES},
    "ScopeSpans": {1: _Field("scope", "Scope"), 2: _Field("spans", "Span", True)},
    "Scope": {1: _Field("name", "string"), 2: _Field("version", "string")},
    "Span": {
        1: _Field("traceId", "id"),
        2: _Field("spanId", "id"),
        4: _Field("parentSpanId", "id"),
        5: _Field("name", "string"),
        6: _Field("kind", "int"),
        7: _Field("startTimeUnixNano", "int"),
        8: _Field("endTimeUnixNano", "int"),
        9: _ATTRIBUTES,
        11: _Field("events", "Event", True),
        13: _Field("links", "Link", True),
        15: _Field("status", "Status"),
    },
    "Event": {1: _Field("timeUnixNano", "int"), 2: _Field("name", "string"), 3: _ATTRIBUTES},
    "Link": {1: _Field("traceId", "id"), 2: _Field("spanId", "id"), 4: _ATTRIBUTES},
    "Status": {2: _Field("message", "string"), 3: _Field("code", "int")},
    "KeyValue": {1: _Field("key", "string"), 2: _Field("value", "AnyValue")},
    "AnyValue": {
        1: _Field("stringValue", "string"),
        2: _Field("boolValue", "bool"),
        3: _Field("intValue", "int"),
        4: _Field("doubleValue", "double"),
        5: _Field("arrayValue", "ArrayValue"),
        6: _Field("kvlistValue", "KeyValueList"),
        7: _Field("bytesValue", "bytes"),
    },
    "ArrayValue": {1: _Field("values", "AnyValue", True)},
    "KeyValueList": {1: _Field("values", "KeyValue", True)},
}


def decode_traces(data: bytes) -> dict[str, Any]:
    """The traces of a request, in the JSON form. Raises FormatError."""
    try:
        return _message(memoryview(data), "TracesData", 0)
    except (IndexError, struct.error, UnicodeDecodeError):
        raise FormatError("is not a message of OTLP in Protocol Buffers") from None


def _message(data: memoryview, type: str, depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        raise FormatError("is nested too deeply")
    fields, result = _MESSAGES[type], dict[str, Any]()
    for number, raw in _raw_fields(data):
        field = fields.get(number)
        if field is None:
            continue
        value = _message(_bytes(raw), field.type, depth + 1) if field.type in _MESSAGES else _scalar(raw, field.type)
        if field.repeated:
            result.setdefault(field.name, []).append(value)
        else:
            result[field.name] = value
    return result


def _raw_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message with their numbers: integers for varints, bytes for everything else."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == 2:
            size, position = _varint(data, position)
        else:
            size = {1: 8, 5: 4}.get(wire_type, -1)
        if size < 0 or position + size > len(data):
            raise FormatError("is not a message of OTLP in Protocol Buffers")
        yield number, data[position : position + size]
        position += size


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise FormatError("is not a message of OTLP in Protocol Buffers")


def _scalar(raw: int | memoryview, type: str) -> Any:
    if type == "int":
        return _integer(raw)
    if type == "bool":
        return bool(raw)
    data = _bytes(raw)
    if type == "string":
        return str(data, "utf-8")
    if type == "double":
        return struct.unpack("<d", data)[0]
    return data.hex() if type == "id" else base64.b64encode(data).decode("ascii")


def _integer(raw: int | memoryview) -> int:
    if isinstance(raw, int):  # a negative number has all 64 bits
        return raw - (1 << 64) if raw >> 63 else raw
    return int.from_bytes(raw, "little")


def _bytes(raw: int | memoryview) -> memoryview:
    if isinstance(raw, int):
        raise FormatError("is not a message of OTLP in Protocol Buffers")
    return raw
