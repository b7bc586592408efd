"""Documents: the plain values of a file, a text, or a mapping of the program, each with its position."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError, quoted
from opentelemetry.instrumentation.declarative.language.text_file import read_text
from opentelemetry.instrumentation.declarative.language.yaml_node import YamlNode
from opentelemetry.instrumentation.declarative.language.yaml_reader import YamlReader
from opentelemetry.instrumentation.declarative.language.yaml_recovery import read_with_recovery
from opentelemetry.instrumentation.declarative.records import record

#: The keys and indexes that lead from the root of a document to a value.
KeyPath = tuple[str | int, ...]


@record(frozen=True)
class Document:
    """The values of a file, with the marks of each value and of each key by its path; the path () is the whole file."""

    file: str
    data: dict[str, Any]
    marks: dict[KeyPath, Mark]
    keys: dict[KeyPath, Mark]
    #: The text, if it is not in a file.
    text: str | None = None
    #: The path of the document in the file, if it is not the whole file.
    path_in_file: KeyPath = ()

    @property
    def files(self) -> frozenset[str]:
        """The files that its values come from."""
        return frozenset(mark.file for mark in self.marks.values())

    def value_at(self, path: KeyPath) -> Any:
        """The value at a path; None if there is none."""
        value: Any = self.data
        for step in path:
            try:
                value = value[step]
            except (LookupError, TypeError):
                return None
        return value

    def references_in(self, path: KeyPath) -> str:
        """The references to environment variables in all texts of the value at a path."""
        found = (mark.references for inner, mark in self.marks.items() if inner[: len(path)] == path)
        return " ".join(dict.fromkeys(filter(None, found)))

    def at(self, path: KeyPath) -> "Document":
        """The mapping at a path, as a document of its own."""
        marks, keys = (
            {inner[len(path) :]: mark for inner, mark in marks.items() if inner[: len(path)] == path}
            for marks in (self.marks, self.keys)
        )
        return Document(self.file, self.value_at(path), marks, keys, self.text, (*self.path_in_file, *path))


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read a file. Raises SpecError with every problem of the file and its text."""
    file = os.fsdecode(path)
    return parse_document(read_text(path, file), file)


def read_with_problems(path: str | os.PathLike[str]) -> tuple[Document, list[Problem], list[KeyPath]]:
    """Read a file of which some values may be invalid. Also returns the problems, and the paths of these values.

    Raises SpecError with every problem of the file and its text if the rest cannot be read.
    """
    file = os.fsdecode(path)
    text = read_text(path, file).removeprefix("\ufeff")
    found = read_with_recovery(text, file)
    root = found.root
    if root is None or not isinstance(root.value, dict):
        raise SpecError(found.problems, {file: text})
    document = Document(file, {}, {}, {})
    invalid: list[KeyPath] = []
    document.data.update(_plain_value(root, (), document, invalid))
    invalid += [path for path, mark in document.marks.items() if path and mark.line in found.lines]
    for marks in (document.marks, document.keys):
        marks.update({path: found.mark_in_file(mark) for path, mark in marks.items() if mark.line in found.corrected})
    return document, found.problems, invalid


def parse_document(text: str, file: str, *, substitute: bool = True) -> Document:
    """Parse the text of a file. Raises SpecError with every problem that can be found.

    ``substitute``: whether references to environment variables are replaced.
    """
    text = text.removeprefix("\ufeff")
    reader = YamlReader(text, file, substitute)
    root = reader.root()
    if root is None or reader.problems:
        raise SpecError(reader.problems, {file: text})
    document = Document(file, {}, {}, {})
    document.data.update(_plain_value(root, (), document))
    return document


def inline_document(value: Mapping[str, Any], name: str) -> Document:
    """Convert a mapping of the program. ``name`` stands for the file in messages; variables are not substituted."""
    try:
        text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError) as error:
        message = f"this cannot be converted to YAML: {error}"
        help = "use strings, numbers, lists and dicts"
        raise SpecError([Problem(Mark(name, 1, 1), "yaml-syntax", message, help)]) from None
    return replace(parse_document(text, name, substitute=False), text=text)


def read_part(path: str | os.PathLike[str], path_in_file: KeyPath) -> Document | None:
    """Read the part of a file at a path; None if the file has nothing there.

    Problems in the rest of the file are ignored. Raises SpecError if the file cannot be read, or the part has problems.
    """
    file = os.fsdecode(path)
    text = read_text(path, file)
    reader = YamlReader(text, file)
    node = reader.root()
    if node is None:
        raise SpecError(reader.problems, {file: text})
    key_mark = node.mark
    for key in path_in_file:
        if isinstance(node.value, dict) and key in node.value:
            key_mark, node = node.value[str(key)]
        elif isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
        else:
            return None
    problems = reader.problems[slice(*node.problem_range)]
    if node.value is not None and not isinstance(node.value, dict):
        message = f"{quoted(str(path_in_file[-1]))} must be a mapping"
        problems.append(Problem(node.mark, "not-a-mapping", message, 'write "key: value" lines'))
    if problems:
        raise SpecError(problems, {file: text})
    document = Document(file, {}, {}, {}, path_in_file=path_in_file)
    document.data.update(_plain_value(node, (), document) or {})
    document.keys[()] = key_mark
    return document


def _plain_value(node: YamlNode, path: KeyPath, document: Document, invalid: list[KeyPath] | None = None) -> Any:
    """The value of a node, copied for each alias; its marks are added to the document.

    The paths of values that have problems themselves are added to ``invalid``.
    """
    document.marks[path] = node.mark
    if invalid is not None and node.is_invalid:
        invalid.append(path)
    if isinstance(node.value, list):
        return [_plain_value(item, (*path, index), document, invalid) for index, item in enumerate(node.value)]
    if not isinstance(node.value, dict):
        return node.value
    document.keys.update({(*path, key): mark for key, (mark, _) in node.value.items()})
    return {key: _plain_value(value, (*path, key), document, invalid) for key, (_, value) in node.value.items()}
