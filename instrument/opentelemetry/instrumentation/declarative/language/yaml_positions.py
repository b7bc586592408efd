"""The positions of YAML's events in the text that they come from."""

import re
from bisect import bisect_right
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.yaml_node import end_of_match

_BREAK = re.compile(r"\r\n|\r|\n")
_PROPERTIES = re.compile(r"(?:&[\w-]+|!\S*|\s+|(?<=\s)#[^\r\n]*)*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")


class YamlPositions:
    """Converts the positions of a parser to marks in a text."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.line_starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    @property
    def lines(self) -> list[str]:
        """The lines of the text, with their breaks."""
        ends = [*self.line_starts[1:], len(self.text)]
        return [self.text[start:end] for start, end in zip(self.line_starts, ends, strict=True)]

    def mark_of(self, event: Any) -> Mark:
        """The mark of an event's text, without its anchor and tag."""
        alias, scalar = hasattr(event, "anchor") and not hasattr(event, "tag"), hasattr(event, "value")
        start = self.offset(event.start_mark)
        if not alias and (getattr(event, "anchor", None) or getattr(event, "tag", None)):
            start = end_of_match(_PROPERTIES, self.text, start)
        if not alias and not scalar:
            return self.mark(start, 1)
        style = event.style if scalar else None
        end = self.offset(event.end_mark)
        if style in ("|", ">"):
            header = end_of_match(_BLOCK_HEADER, self.text, start) - start
            return self.mark(start, header, verbatim=False)
        line_break = _BREAK.search(self.text, start, max(start, end))
        raw = self.text[start : line_break.start() if line_break else max(start, end)].rstrip()
        verbatim = scalar and (raw[1:-1] if style else raw) == event.value
        return self.mark(start, len(raw), quoted=style in ("'", '"'), verbatim=verbatim)

    def collection_mark(self, mark: Mark, start: Any, end: Any, otherwise: int) -> Mark:
        """The mark of a collection: all of it if it is in brackets on one line, else its first key or its dash."""
        if start.flow_style and end.end_mark.line == mark.line - 1:
            return mark._replace(length=max(1, end.end_mark.column - mark.column + 1))
        return mark._replace(length=otherwise)

    def mark(self, offset: int, length: int, *, quoted: bool = False, verbatim: bool = True) -> Mark:
        offset = min(offset, len(self.text))
        if offset == len(self.text) and self.text and offset == self.line_starts[-1] > 0:
            offset = len(self.text.rstrip("\r\n"))  # the end of the file is at the end of its last line
        line = bisect_right(self.line_starts, offset)
        column = offset - self.line_starts[line - 1] + 1
        return Mark(self.file, line, column, max(1, length), quoted, verbatim)

    def offset(self, mark: Any) -> int:
        if mark.line >= len(self.line_starts):
            return len(self.text)
        return int(min(self.line_starts[mark.line] + mark.column, len(self.text)))
