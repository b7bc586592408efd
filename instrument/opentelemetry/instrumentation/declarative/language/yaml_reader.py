"""YAML text to nodes that know their positions; the only place that knows YAML.

It works on the parser's events, not on composed nodes: limits hold before anything is built, aliases keep their size,
tags are seen as written, and what stands before a syntax error is still checked.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import yaml
from opentelemetry.instrumentation.declarative.diagnostics.problems import MORE, MOST_PROBLEMS, Mark, Problem, shown
from opentelemetry.instrumentation.declarative.language.text_file import MAX_BYTES as MAX_BYTES
from opentelemetry.instrumentation.declarative.language.variables import BadReference, substituted
from opentelemetry.instrumentation.declarative.language.yaml_errors import ESCAPE, TAG, explain, is_nesting_limit

MAX_DEPTH = 64
_TOO_DEEP = ("too-large", f"this is nested more than {MAX_DEPTH} levels deep", "a spec needs about ten")
MAX_NODES = 20_000
MAX_DIRECTIVES = 10  # libyaml compares each with all before it

_INT = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_BREAK = re.compile(r"\r\n|\r|\n")
# Also what YAML alone takes for a line break (NEL, LS, PS): in an editor the lines would count differently. And what
# turns the direction of text: an expression would not be what a person reads.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_PROPERTIES = re.compile(r"(?:&[\w-]+|!\S*|\s+|(?<=\s)#[^\r\n]*)*")
_TAG = re.compile(r"!\S*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass(slots=True)
class Node:
    mark: Mark
    value: "str | int | float | bool | list[Node] | dict[str, tuple[Mark, Node]] | None" = None
    size: int = 1  # nodes in it, keys and expanded aliases included
    letters: int = 0  # characters in these
    height: int = 1
    told: tuple[int, int] = (0, 0)  # the problems in it, as a slice of all


class _Stop(Exception):
    """No sense in reading on: the problem that says why is noted."""


class Reader:
    """One pass over the events of one text: builds nodes and notes problems."""

    def __init__(self, text: str, file: str, substitutes: bool = True) -> None:
        self.text, self.file, self.substitutes = text, file, substitutes
        self.problems: list[Problem] = []
        self.starts = [0, *(found.end() for found in _BREAK.finditer(text))]
        self.anchors: dict[str, Node | None] = {}  # None while the anchored collection is still open
        self.total = self.letters = 0

    def root(self) -> Node | None:
        """The root of the only document; None, with the problem noted, where there is none."""
        try:
            self._check_text()
            return self._document(iter(yaml.parse(self.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))))
        except yaml.YAMLError as error:
            self._note_syntax(error)
        except (ValueError, OverflowError):  # Python's parser on \U00110000 and the like
            self._note(self._mark(0, 1), "yaml-syntax", *ESCAPE)
        except _Stop:
            pass
        return None

    def _check_text(self) -> None:
        if len(self.text) > MAX_BYTES or len(self.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            self._stop(self._mark(0, 1), "too-large", "the text is larger than 1 MiB", "split it into several specs")
        if bad := list(_FORBIDDEN.finditer(self.text)):
            help = "delete it" + (f"; {len(bad) - 1} more such follow" if len(bad) > 1 else "")
            message = f"the invisible character U+{ord(bad[0][0]):04X} cannot stand in a spec"
            self._stop(self._mark(bad[0].start(), 1), "control-character", message, help)
        if len(found := list(_DIRECTIVE.finditer(self.text))) > MAX_DIRECTIVES:
            message = f'more than {MAX_DIRECTIVES} lines begin with "%", as directives do'
            self._stop(self._mark(found[0].start(), 1), "too-large", message, "take them out: a spec needs none")

    def _document(self, events: Iterator[Any]) -> Node | None:
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            self._stop(self._mark(0, 1), "empty-file", "the file holds nothing", "a spec begins with instrument: 1")
        root = self._node(next(events), events, 1, None)
        next(events)  # the end of the document
        if root.value is None:
            self._note(root.mark, "empty-file", "the file holds nothing", "a spec begins with instrument: 1")
        elif not isinstance(root.value, dict):
            kind = "a list" if isinstance(root.value, list) else "a single value"
            message = f"a spec is a mapping, and this is {kind}"
            self._note(root.mark, "not-a-mapping", message, 'write "key: value" lines')
        if isinstance(another := next(events), yaml.DocumentStartEvent):
            mark = self._mark_of(another)
            self._note(mark, "several-documents", "a second document begins here", "keep one spec in one file")
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int, key: Mark | None, substitutes: bool = True) -> Node:
        """The node that begins with `event`, the value of the key at `key`; a key itself does not substitute."""
        mark = self._mark_of(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, mark, depth)
        before, letters, told = self.total, self.letters, len(self.problems)
        self._count(1, len(getattr(event, "value", "")), depth, mark)
        if event.tag is not None:
            found = _TAG.search(self.text, self._offset(event.start_mark))
            self._note(self._mark(found.start(), len(found[0])) if found else mark, "yaml-tag", *TAG)
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, mark, key, substitutes and self.substitutes)
        elif isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(events), yaml.SequenceEndEvent):
                items.append(self._node(inner, events, depth + 1, None))
            height = 1 + max((item.height for item in items), default=0)
            node = Node(self._whole(mark, event, inner, 1), items, height=height)
        else:
            node = self._mapping(event, events, mark, depth)
        node.size, node.letters = self.total - before, self.letters - letters
        node.told = (told, len(self.problems))
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any, mark: Mark, key: Mark | None, substitutes: bool) -> Node:
        if _SURROGATE.search(event.value):  # only Python's parser lets the escape through
            self._note(mark, "yaml-syntax", *ESCAPE)
        if not event.style and not event.value:  # nothing to point at; the key is what a person sees
            return Node(key or mark)
        text = event.value
        if substitutes and "$" in text:
            text, mark = self._substituted(text, mark)
        return Node(mark, text if event.style else _resolve(text))

    def _substituted(self, text: str, mark: Mark) -> tuple[str, Mark]:
        """A value with the environment's variables in it. What was wrong with its text is told without showing it."""
        try:
            value, references = substituted(text)
        except BadReference as bad:
            mend = "write ${NAME} or ${NAME:-default} with letters, digits and _; for a dollar sign write $$"
            message = f"{shown(bad.text)} names no environment variable"
            self._note(mark.at(bad.offset, len(bad.text)), "bad-reference", message, mend)
            return "", mark
        if value == text and not references:
            return text, mark
        self._count(0, max(0, len(value) - len(text)), 0, mark)
        mark = replace(mark, verbatim=False)
        if references and _FORBIDDEN.search(value):
            message = f"what {shown(references)} stands for holds a character that cannot stand in a spec"
            self._note(mark, "control-character", message, "take it out of the variable")
            return "", mark
        return value, replace(mark, references=references)

    def _mapping(self, event: Any, events: Iterator[Any], mark: Mark, depth: int) -> Node:
        entries: dict[str, tuple[Mark, Node]] = {}
        while not isinstance(inner := next(events), yaml.MappingEndEvent):
            key_mark = self._mark_of(inner)
            # Counted, its anchor kept, and passed over if it is no text.
            self._node(inner, events, depth + 1, None, substitutes=False)
            value = self._node(next(events), events, depth + 1, key_mark)
            if not isinstance(inner, yaml.ScalarEvent):
                self._note(key_mark, "yaml-key", "a key must be text, written out", "put a plain word before the colon")
            elif inner.value == "<<" and not inner.style:
                help = "write the keys out; an alias can only stand for a whole value"
                self._note(key_mark, "merge-key", 'merge keys ("<<") are not part of the language', help)
            elif inner.value in entries:
                help = f"the first stands in line {entries[inner.value][0].line}; keep one of them"
                self._note(key_mark, "duplicate-key", f"{shown(inner.value)} stands twice in one mapping", help)
            else:
                entries[inner.value] = (key_mark, value)
        height = 1 + max((value.height for _, value in entries.values()), default=0)
        first = next((key for key, _ in entries.values()), mark)
        length = first.length if str(first) == str(mark) else 1  # after "? " it stands elsewhere
        return Node(self._whole(mark, event, inner, length), entries, height=height)

    def _alias(self, event: Any, mark: Mark, depth: int) -> Node:
        if event.anchor not in self.anchors:
            help = 'put text that begins with "*" in quotes'
            self._note(mark, "yaml-alias", f"no anchor {shown(event.anchor)} stands above", help)
            return Node(mark)
        node = self.anchors[event.anchor]
        if node is None:
            self._note(mark, "yaml-alias", f"the anchor {shown(event.anchor)} contains itself", "write the value out")
            return Node(mark)
        self._count(node.size, node.letters, depth + node.height - 1, mark)
        return node

    def _count(self, nodes: int, letters: int, depth: int, mark: Mark) -> None:
        self.total += nodes
        self.letters += letters
        if len(self.problems) >= MOST_PROBLEMS:
            self._stop(mark, *MORE)
        if depth > MAX_DEPTH:
            self._stop(mark, *_TOO_DEEP)
        if self.total > MAX_NODES or self.letters > MAX_BYTES:
            most = f"{MAX_NODES} values" if self.total > MAX_NODES else "1 MiB of text"
            message = f"the file has more than {most}, each alias counted as what it stands for"
            self._stop(mark, "too-large", message, "split it into several specs")

    def _mark_of(self, event: Any) -> Mark:
        """The mark of an event's text, after its anchor and tag."""
        alias, scalar = isinstance(event, yaml.AliasEvent), isinstance(event, yaml.ScalarEvent)
        start = self._offset(event.start_mark)
        if not alias and (getattr(event, "anchor", None) or getattr(event, "tag", None)):
            start = _after(_PROPERTIES, self.text, start)
        if not alias and not scalar:
            return self._mark(start, 1)
        style = event.style if scalar else None
        end = self._offset(event.end_mark)
        if style in ("|", ">"):
            return replace(self._mark(start, _after(_BLOCK_HEADER, self.text, start) - start), verbatim=False)
        broken = _BREAK.search(self.text, start, max(start, end))
        raw = self.text[start : broken.start() if broken else max(start, end)].rstrip()
        verbatim = scalar and (raw[1:-1] if style else raw) == event.value
        return replace(self._mark(start, len(raw)), quoted=style in ("'", '"'), verbatim=verbatim)

    def _whole(self, mark: Mark, start: Any, end: Any, otherwise: int) -> Mark:
        """A collection's mark: all of it where it stands in brackets on one line, else its first key or its dash."""
        if start.flow_style and end.end_mark.line == mark.line - 1:
            return replace(mark, length=max(1, end.end_mark.column - mark.column + 1))
        return replace(mark, length=otherwise)

    def _mark(self, offset: int, length: int) -> Mark:
        offset = min(offset, len(self.text))
        if offset == len(self.text) and self.text and offset == self.starts[-1] > 0:
            offset = len(self.text.rstrip("\r\n"))  # the end of the file is behind its last line, not on one after it
        line = bisect_right(self.starts, offset)
        return Mark(self.file, line, offset - self.starts[line - 1] + 1, max(1, length))

    def _offset(self, mark: Any) -> int:
        if mark.line >= len(self.starts):
            return len(self.text)
        return int(min(self.starts[mark.line] + mark.column, len(self.text)))

    def _note_syntax(self, error: yaml.YAMLError) -> None:
        context = getattr(error, "context_mark", None)
        place = getattr(error, "problem_mark", None) or context
        offset = self._offset(place) if place else 0
        begun = (context or place).line + 1 if place else 1
        said = str(getattr(error, "problem", None) or "it cannot be read")
        mark = self._mark(offset, 1)
        if is_nesting_limit(said):
            self._note(mark, *_TOO_DEEP)
        else:
            self._note(mark, *explain(said, self.text[offset : offset + 1], begun))

    def _note(self, mark: Mark, code: str, message: str, help: str) -> None:
        problem = Problem(mark, code, message, help)
        if problem not in self.problems[-1:]:  # a key within a key
            self.problems.append(problem)

    def _stop(self, mark: Mark, code: str, message: str, help: str) -> NoReturn:
        self._note(mark, code, message, help)
        raise _Stop


def _after(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _resolve(text: str) -> str | int | float | bool | None:
    """A plain scalar's value: only what has one obvious reading is more than text."""
    if text in ("null", "~", ""):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text) and len(text) <= 4000:  # Python refuses to convert longer ones
        return int(text)
    if _FLOAT.fullmatch(text) and str(float(text)) == text:  # 1.10 is a version, not 1.1
        return float(text)
    return text
