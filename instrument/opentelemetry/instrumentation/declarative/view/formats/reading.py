"""Reads spans from a file or a pipe. What cannot be read is counted, and the rest is kept."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.view.formats import ag2_records, otlp_json
from opentelemetry.instrumentation.declarative.view.formats.fields import FormatError
from opentelemetry.instrumentation.declarative.view.formats.pending import open_span_of
from opentelemetry.instrumentation.declarative.view.spans import Span, SpanStore

#: How many broken lines are named; the others are counted.
_MAX_NAMED = 10
_UNKNOWN = "is neither a span of AG2's spans.jsonl nor OTLP in JSON"
_GZIP = b"\x1f\x8b"


class BrokenLine(NamedTuple):
    number: int
    reason: str


@dataclass(slots=True)
class Recording:
    """The spans that were read, and what could not be read."""

    spans: SpanStore = field(default_factory=SpanStore)
    #: The first broken lines, and how many there are.
    broken: list[BrokenLine] = field(default_factory=list)
    broken_count: int = 0
    #: Records of metrics and logs.
    other_signals: int = 0
    #: Whether the last line is incomplete, as in a file that is being written.
    is_truncated: bool = False
    #: Lines and bytes read so far.
    lines: int = 0
    size: int = 0

    def add_record(self, record: Any) -> None:
        """Add what a record contains. Raises FormatError."""
        try:
            for span in _spans(record, self):
                self.spans.add(open_span_of(span))
        except RecursionError:
            raise FormatError("is nested too deeply") from None

    def problems(self) -> Iterator[str]:
        """What could not be read, as sentences."""
        for line in self.broken:
            yield f"line {line.number:,} {line.reason}: it is left out."
        if self.broken_count > len(self.broken):
            yield f"{self.broken_count - len(self.broken):,} more lines are left out."
        if self.is_truncated:
            yield "the last line is incomplete, as in a file that is being written: it is left out."
        if self.other_signals:
            yield f"{self.other_signals:,} records of metrics and logs are not shown."

    def add_broken(self, number: int, reason: str) -> None:
        self.broken_count += 1
        if len(self.broken) < _MAX_NAMED:
            self.broken.append(BrokenLine(number, reason))


def _no_progress(recording: Recording) -> None:
    pass


def read(stream: BufferedReader, recording: Recording, progress: Callable[[Recording], None] = _no_progress) -> None:
    """Read everything that a stream contains. A file that gzip has compressed is decompressed."""
    try:
        _read(stream, recording, progress)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        recording.is_truncated = True


def _read(stream: BufferedReader, recording: Recording, progress: Callable[[Recording], None]) -> None:
    is_compressed = stream.peek(2)[:2] == _GZIP
    lines: BufferedReader | gzip.GzipFile = gzip.GzipFile(fileobj=stream) if is_compressed else stream
    for line in lines:
        recording.lines += 1
        recording.size += len(line)
        text = line.strip(b" \t\r\n\0\xef\xbb\xbf" if recording.lines == 1 else b" \t\r\n\0")
        if not text:
            continue
        if recording.lines == 1 and not _is_json(text):
            rest = lines.read()
            recording.size += len(rest)
            _read_document(line, rest, recording)
            return
        _read_line(text, recording, is_complete=line.endswith(b"\n"))
        progress(recording)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _read_document(first: bytes, rest: bytes, recording: Recording) -> None:
    """Read a document that extends over several lines, or else each line for itself."""
    try:
        document = json.loads(first + rest)
    except (ValueError, RecursionError):
        _read_line(first.strip(), recording, is_complete=bool(rest) or first.endswith(b"\n"))
        for line in rest.splitlines(keepends=True):
            recording.lines += 1
            if line.strip():
                _read_line(line.strip(), recording, is_complete=line.endswith(b"\n"))
        return
    recording.lines += rest.count(b"\n")
    for record in document if isinstance(document, list) else [document]:
        _add(record, recording, 1)


def _read_line(text: bytes, recording: Recording, *, is_complete: bool) -> None:
    try:
        record = json.loads(text)
    except RecursionError:
        recording.add_broken(recording.lines, "is nested too deeply")
    except ValueError as error:
        if not is_complete:
            recording.is_truncated = True
            return
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        recording.add_broken(recording.lines, f"is not JSON: {reason[:120]}")
    else:
        _add(record, recording, recording.lines)


def _add(record: Any, recording: Recording, number: int) -> None:
    try:
        recording.add_record(record)
    except FormatError as error:
        recording.add_broken(number, str(error))


def _spans(record: Any, recording: Recording) -> Iterator[Span]:
    if not isinstance(record, dict):
        raise FormatError(_UNKNOWN)
    if otlp_json.is_traces(record):
        yield from otlp_json.read_traces(record)
    elif ag2_records.is_record(record):
        yield from ag2_records.read_record(record)
    elif otlp_json.OTHER_SIGNALS & record.keys():
        recording.other_signals += 1
    else:
        raise FormatError(_UNKNOWN)
