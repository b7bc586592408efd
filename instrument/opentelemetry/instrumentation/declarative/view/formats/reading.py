"""Reads spans from a file or a pipe. What cannot be read is counted, and the rest is kept."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO
from itertools import chain
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.view.formats import ag2_records, otlp_json
from opentelemetry.instrumentation.declarative.view.formats.fields import FormatError
from opentelemetry.instrumentation.declarative.view.formats.pending import open_span_of
from opentelemetry.instrumentation.declarative.view.spans import Span, SpanStore

#: How many broken lines are named; the others are counted.
_MAX_NAMED = 10
_UNKNOWN = "is neither a span of AG2's spans.jsonl nor OTLP in JSON"
#: White space, the bytes of a hole in a file, and the mark with which some programs begin a file.
_IGNORED = b" \t\r\n\0\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
#: The marks of UTF-16, in which a shell of Windows writes the output of a program.
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class BrokenLine(NamedTuple):
    where: str
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
    #: What stands before the number of a line, if there are several files.
    label: str = ""
    #: Lines of the file and bytes of all files read so far.
    lines: int = 0
    size: int = 0
    #: Why spans may be missing, and what to do.
    advice: str | None = None

    def add_record(self, record: Any) -> None:
        """Add what a record contains. Raises FormatError."""
        try:
            for span in _spans(record, self):
                self.spans.add(open_span_of(span))
        except RecursionError:
            raise FormatError("is nested too deeply") from None

    def problems(self) -> Iterator[str]:
        """Sentences about what could not be read."""
        for line in self.broken:
            yield f"{line.where} {line.reason}: it is left out."
        if self.broken_count > len(self.broken):
            yield f"{self.broken_count - len(self.broken):,} more lines are left out."
        if self.is_truncated:
            yield "the last line is incomplete, as in a file that is being written: it is left out."
        if self.advice:
            yield f"{self.advice}."
        if self.other_signals:
            yield f"{self.other_signals:,} records of metrics and logs are not shown."

    def add_broken(self, number: int, reason: str) -> None:
        self.broken_count += 1
        if len(self.broken) < _MAX_NAMED:
            self.broken.append(BrokenLine(f"{self.label}line {number:,}", reason))


def _no_progress(recording: Recording) -> None:
    pass


def read(stream: BufferedReader, recording: Recording, progress: Callable[[Recording], None] = _no_progress) -> None:
    """Read everything that a stream contains. A file that gzip has compressed is decompressed."""
    recording.lines = 0
    try:
        _read(stream, recording, progress)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        recording.is_truncated = True


def _read(stream: BufferedReader, recording: Recording, progress: Callable[[Recording], None]) -> None:
    mark = stream.peek(2)[:2]
    lines: BufferedReader | BytesIO | gzip.GzipFile = gzip.GzipFile(fileobj=stream) if mark == _GZIP else stream
    if mark in _UTF_16:
        lines = BytesIO(stream.read().decode("utf-16", errors="replace").encode())
    first = lines.readline()
    if first.strip(_IGNORED) and not _is_json(first.strip(_IGNORED)):
        _read_document(first, lines.read(), recording)
        return
    for line in chain([first], lines) if first else ():
        read_line(line, recording)
        progress(recording)


def read_line(line: bytes, recording: Recording) -> None:
    """Read the next line of a file. Without its line break, it may be incomplete."""
    recording.lines += 1
    recording.size += len(line)
    text = line.strip(_IGNORED)
    if text:
        _parse_line(text, recording, is_complete=line.endswith(b"\n"))


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _read_document(first: bytes, rest: bytes, recording: Recording) -> None:
    """Read a document that extends over several lines, or else each line for itself."""
    try:
        document = json.loads((first + rest).strip(_IGNORED))
    except (ValueError, RecursionError):
        for line in (first, *rest.splitlines(keepends=True)):
            read_line(line, recording)
        return
    recording.lines += 1
    recording.size += len(first) + len(rest)
    _add(document, recording, 1)


def _parse_line(text: bytes, recording: Recording, *, is_complete: bool) -> None:
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


def _add(document: Any, recording: Recording, number: int) -> None:
    """Add a record, or each one of a list."""
    for record in document if isinstance(document, list) else [document]:
        try:
            recording.add_record(record)
        except FormatError as error:
            recording.add_broken(number, str(error))


def _spans(record: Any, recording: Recording) -> Iterator[Span]:
    if not isinstance(record, dict):
        raise FormatError(_UNKNOWN)
    if otlp_json.is_traces(record):
        yield from otlp_json.read_traces(record)
    elif isinstance(record.get("trace"), dict):  # an answer of Grafana Tempo
        yield from _spans(record["trace"], recording)
    elif ag2_records.is_record(record):
        yield from ag2_records.read_record(record)
    elif otlp_json.OTHER_SIGNALS & record.keys():
        recording.other_signals += 1
    else:
        raise FormatError(_UNKNOWN)
