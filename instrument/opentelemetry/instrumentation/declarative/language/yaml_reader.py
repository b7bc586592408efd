"""Parses YAML text into nodes with positions. The only module that uses a YAML parser.

It works on the parser's events, not on composed nodes: limits apply before anything is built, aliases count with the
size of their value, tags are seen as written, and the text before a syntax error is still checked.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    MAX_PROBLEMS,
    MORE_PROBLEMS,
    Mark,
    Problem,
    quoted,
)
from opentelemetry.instrumentation.declarative.language.text_file import MAX_BYTES as MAX_BYTES
from opentelemetry.instrumentation.declarative.language.variables import BadReference, substitute_variables
from opentelemetry.instrumentation.declarative.language.yaml_errors import (
    ESCAPE,
    MAX_DEPTH,
    TAG,
    TOO_DEEP,
    Explanation,
    explain,
    tag_help,
)
from opentelemetry.instrumentation.declarative.language.yaml_library import private_library, yaml_library
from opentelemetry.instrumentation.declarative.language.yaml_node import YamlNode, plain_scalar
from opentelemetry.instrumentation.declarative.language.yaml_positions import YamlPositions

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.yaml_slips import Slip

MAX_NODES = 20_000
MAX_DIRECTIVES = 10  # libyaml compares each directive with all before it

# Control characters; NEL, LS and PS, which are line breaks to YAML only, so that line numbers would differ from those
# of an editor; and characters that change the direction of text, with which an expression is not what it looks like.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"!\S*")
#: A reference as in other languages, to a value of the program.
_PATH = re.compile(r"\$\{+\s*([A-Za-z_]\w*(?:\.\w+)+)\s*\}+")


#: What follows a word with a negation before it, if it is not the tag of a value.
_NEGATED = re.compile(r"$|(and|or|is|in)\b|[=<>!&|.,)]")
#: A value in the braces of a template.
_BRACES = re.compile(r"\{\{\s*([^{}\n]+?)\s*\}\}")


class _Stop(Exception):
    """Reading on makes no sense; the reason has been noted as a problem."""


class YamlReader:
    """Makes one pass over the events of a text. Builds nodes and collects problems."""

    def __init__(self, text: str, file: str, substitute: bool = True, *, library: Any = None) -> None:
        self.text, self.file, self.substitute = text, file, substitute
        self.problems: list[Problem] = []
        #: The lines that may be the reason why the text could not be read to its end.
        self.broken_lines: list[int] = []
        #: The common reason, if it is one.
        self.slip: Slip | None = None
        self._positions = YamlPositions(text, file)
        self._anchors: dict[str, YamlNode | None] = {}  # None while the anchored collection is still open
        self._nodes = self._characters = 0
        self._yaml = library or yaml_library()

    def root(self) -> YamlNode | None:
        """The root of the only document; None if there is none, which is a problem."""
        loader = getattr(self._yaml, "CSafeLoader", self._yaml.SafeLoader)
        try:
            self._check_text()
            return self._document(iter(self._yaml.parse(self.text, Loader=loader)))
        except self._yaml.YAMLError as error:
            if not self._is_explained():
                self._note_syntax(error)
        except (ValueError, OverflowError):  # Python's parser, at \U00110000 and the like
            self._note_explanation(self._positions.mark(0, 1), ESCAPE)
        except _Stop:
            pass
        return None

    @property
    def last_broken_line(self) -> int:
        return max(self.broken_lines, default=0)

    def _check_text(self) -> None:
        if len(self.text) > MAX_BYTES or len(self.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            self._stop(
                self._positions.mark(0, 1), "too-large", "the text is larger than 1 MiB", "split it into several specs"
            )
        if bad := list(_FORBIDDEN.finditer(self.text)):
            help = "delete it" + (f"; there are {len(bad) - 1} more" if len(bad) > 1 else "")
            message = f"the invisible character U+{ord(bad[0][0]):04X} is not allowed in a spec"
            self._stop(self._positions.mark(bad[0].start(), 1), "control-character", message, help)
        if len(found := list(_DIRECTIVE.finditer(self.text))) > MAX_DIRECTIVES:
            message = f'more than {MAX_DIRECTIVES} lines start with "%", as directives do'
            self._stop(
                self._positions.mark(found[0].start(), 1), "too-large", message, "remove them: a spec needs none"
            )

    def _document(self, events: Iterator[Any]) -> YamlNode | None:
        next(events)  # the start of the stream
        if isinstance(next(events), self._yaml.StreamEndEvent):
            self._stop(
                self._positions.mark(0, 1), "empty-file", "the file is empty", "a spec starts with instrument: 2"
            )
        root = self._node(next(events), events, 1, None)
        next(events)  # the end of the document
        if root.value is None:
            self._note(root.mark, "empty-file", "the file is empty", "a spec starts with instrument: 2")
        elif not isinstance(root.value, dict):
            kind = "a list" if isinstance(root.value, list) else "a single value"
            message = f"a spec must be a mapping, not {kind}"
            self._note(root.mark, "not-a-mapping", message, 'write "key: value" lines')
        if isinstance(another := next(events), self._yaml.DocumentStartEvent):
            mark = self._positions.mark_of(another)
            self._note(mark, "several-documents", "a second document starts here", "put each spec in its own file")
        return root

    def _node(
        self, event: Any, events: Iterator[Any], depth: int, key: Mark | None, substitute: bool = True
    ) -> YamlNode:
        """The node that starts with an event. ``key`` is the mark of its key; variables in keys are not substituted."""
        mark = self._positions.mark_of(event)
        if isinstance(event, self._yaml.AliasEvent):
            return self._alias(event, mark, depth)
        nodes, characters, problems = self._nodes, self._characters, len(self.problems)
        self._count(1, len(getattr(event, "value", "")), depth, mark)
        if event.tag is not None:
            found = _TAG.search(self.text, self._positions.offset(event.start_mark))
            help = tag_help(found[0] if found and _NEGATED.match(getattr(event, "value", "")) else "")
            self._note_explanation(
                self._positions.mark(found.start(), len(found[0])) if found else mark, TAG._replace(help=help)
            )
        if event.anchor:
            self._anchors[event.anchor] = None
        if isinstance(event, self._yaml.ScalarEvent):
            node = self._scalar(event, mark, key, substitute and self.substitute)
            node.is_invalid = len(self.problems) > problems
        elif isinstance(event, self._yaml.SequenceStartEvent):
            items: list[YamlNode] = []
            while not isinstance(inner := next(events), self._yaml.SequenceEndEvent):
                items.append(self._node(inner, events, depth + 1, None))
            height = 1 + max((item.height for item in items), default=0)
            node = YamlNode(self._positions.collection_mark(mark, event, inner, 1), items, height=height)
        else:
            node = self._mapping(event, events, mark, depth)
        node.size, node.length = self._nodes - nodes, self._characters - characters
        node.problem_range = (problems, len(self.problems))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any, mark: Mark, key: Mark | None, substitute: bool) -> YamlNode:
        if _SURROGATE.search(event.value):  # only Python's parser accepts the escape
            self._note_explanation(mark, ESCAPE)
        if not event.style and not event.value:  # there is no text to point at
            return YamlNode(key or mark)
        text = event.value
        if substitute and "$" in text:
            text, mark = self._substituted(text, mark)
        return YamlNode(mark, text if event.style else plain_scalar(text))

    def _substituted(self, text: str, mark: Mark) -> tuple[str, Mark]:
        """A value with its variables substituted. Problems of the value do not show it."""
        try:
            value, references = substitute_variables(text)
        except BadReference as bad:
            help = "write ${NAME} or ${NAME:-default} with letters, digits and _; for a dollar sign write $$"
            if path := _PATH.fullmatch(bad.text):
                help = f"write {{{path[1]}}} for a value of the call, ${{NAME}} for an environment variable"
            message = f"{quoted(bad.text)} is not a reference to an environment variable"
            self._note(mark.at(bad.offset, len(bad.text)), "bad-reference", message, help)
            return "", mark
        if value == text and not references:
            return text, mark
        self._count(0, max(0, len(value) - len(text)), 0, mark)
        mark = mark._replace(verbatim=False)
        if references and _FORBIDDEN.search(value):
            message = f"the value of {quoted(references)} has a character that is not allowed in a spec"
            self._note(mark, "control-character", message, "remove it from the variable")
            return "", mark
        return value, mark._replace(references=references)

    def _mapping(self, event: Any, events: Iterator[Any], mark: Mark, depth: int) -> YamlNode:
        entries: dict[str, tuple[Mark, YamlNode]] = {}
        is_complete = True
        while not isinstance(inner := next(events), self._yaml.MappingEndEvent):
            key_mark = self._positions.mark_of(inner)
            # A key counts as a node and can have an anchor, even if it is not text.
            self._node(inner, events, depth + 1, None, substitute=False)
            value = self._node(next(events), events, depth + 1, key_mark)
            if not isinstance(inner, self._yaml.ScalarEvent):
                is_complete = False
                braces = _BRACES.match(self.text, max(0, self._positions.offset(inner.start_mark) - 1))
                help = f"write {braces[1]} without braces" if braces else "write a word before the colon"
                self._note(key_mark, "yaml-key", "a key must be plain text", help)
            elif inner.value == "<<" and not inner.style:
                is_complete = False
                help = "write the keys out; an alias can only replace a whole value"
                self._note(key_mark, "merge-key", 'merge keys ("<<") are not part of the language', help)
            elif inner.value in entries:
                message = f"{quoted(inner.value)} occurs twice in one mapping"
                help = f"the first is on line {entries[inner.value][0].line}; keep one of them"
                self._note(key_mark, "duplicate-key", message, help)
            else:
                entries[inner.value] = (key_mark, value)
        height = 1 + max((value.height for _, value in entries.values()), default=0)
        first = next((key for key, _ in entries.values()), mark)
        length = first.length if str(first) == str(mark) else 1  # not that of the first key after "? "
        mark = self._positions.collection_mark(mark, event, inner, length)
        return YamlNode(mark, entries, height=height, is_invalid=not is_complete)

    def _alias(self, event: Any, mark: Mark, depth: int) -> YamlNode:
        if event.anchor not in self._anchors:
            help = 'put text that starts with "*" in quotes'
            self._note(mark, "yaml-alias", f"there is no anchor {quoted(event.anchor)} before this alias", help)
            return YamlNode(mark, is_invalid=True)
        node = self._anchors[event.anchor]
        if node is None:
            message = f"the anchor {quoted(event.anchor)} contains itself"
            self._note(mark, "yaml-alias", message, "write the value out")
            return YamlNode(mark, is_invalid=True)
        self._count(node.size, node.length, depth + node.height - 1, mark)
        return node

    def _count(self, nodes: int, characters: int, depth: int, mark: Mark) -> None:
        self._nodes += nodes
        self._characters += characters
        if len(self.problems) >= MAX_PROBLEMS:
            self._stop(mark, *MORE_PROBLEMS)
        if depth > MAX_DEPTH:
            self._note_explanation(mark, TOO_DEEP)
            raise _Stop
        if self._nodes > MAX_NODES or self._characters > MAX_BYTES:
            limit = f"{MAX_NODES} values" if self._nodes > MAX_NODES else "1 MiB of text"
            message = f"the file has more than {limit}, counting the value of each alias"
            self._stop(mark, "too-large", message, "split it into several specs")

    def _is_explained(self) -> bool:
        """Whether the parser in Python finds what is wrong. Its reasons are more precise than those of the one in C."""
        private = private_library()
        if self._yaml is private:
            return False
        reader = YamlReader(self.text, self.file, self.substitute, library=private)
        if reader.root() is not None:
            return False
        self.problems, self.broken_lines, self.slip = reader.problems, reader.broken_lines, reader.slip
        return True

    def _note_syntax(self, error: Exception) -> None:
        context = getattr(error, "context_mark", None)
        position = getattr(error, "problem_mark", None) or context
        offset = self._positions.offset(position) if position else 0
        start_line = (context or position).line + 1 if position else 1
        line = self._positions.mark(offset, 1).line
        lines = list(dict.fromkeys([line, max(line - 1, 1), start_line]))
        texts = self._positions.lines
        # Imported here: a process whose specs are valid does not need it.
        from opentelemetry.instrumentation.declarative.language.yaml_slips import INDENTATION, indentation_slip, slip_in

        words = str(getattr(error, "problem", None) or "it cannot be parsed")
        slips = (slip_in(texts, each, in_braces="',' or '}'" in words) for each in lines)
        self.slip = slip = next(filter(None, slips), None)
        if slip is None and any(each in words for each in INDENTATION):
            self.slip = slip = indentation_slip(texts, line)
        if slip is not None:
            self.broken_lines = list(dict.fromkeys([slip.line, *lines]))
            for column, length, help in (*slip.others, (slip.column, slip.length, slip.help)):
                self._note(Mark(self.file, slip.line, column, length), "yaml-syntax", slip.message, help)
            return
        self.broken_lines = lines
        found = explain(words, self.text[offset : offset + 1], start_line)
        if found.is_at_start and context is not None:
            offset = self._positions.offset(context)
        self._note_explanation(self._positions.mark(offset, 1), found)

    def _note_explanation(self, mark: Mark, found: Explanation) -> None:
        self._note(mark, found.code, found.message, found.help)

    def _note(self, mark: Mark, code: str, message: str, help: str) -> None:
        problem = Problem(mark, code, message, help)
        if problem not in self.problems[-1:]:  # the same problem of a key in a key
            self.problems.append(problem)

    def _stop(self, mark: Mark, code: str, message: str, help: str) -> NoReturn:
        self._note(mark, code, message, help)
        raise _Stop
