"""A file, a text or a mapping of the program's to a document: plain values that know their positions."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError, shown
from opentelemetry.instrumentation.declarative.language.text_file import text_of
from opentelemetry.instrumentation.declarative.language.yaml_reader import Node, Reader

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A file's values, and where each value (`marks`) and each key (`keys`) stands; the path () is the whole file."""

    file: str
    data: dict[str, Any]
    marks: dict[Path, Mark]
    keys: dict[Path, Mark]
    #: The text, where there is no file that has it.
    text: str | None = None
    #: Where in the file it stands, if it is not the whole.
    way: Path = ()

    def at(self, path: Path) -> "Document":
        """The mapping at a path, as a document of its own."""
        data: Any = self.data
        for step in path:
            data = data[step]
        marks, keys = (
            {place[len(path) :]: mark for place, mark in marks.items() if place[: len(path)] == path}
            for marks in (self.marks, self.keys)
        )
        return Document(self.file, data, marks, keys, self.text, (*self.way, *path))


def read(path: str | os.PathLike[str]) -> Document:
    """The document in a file; SpecError for whatever is wrong with the file or its text."""
    file = os.fsdecode(path)
    return parse(text_of(path, file), file)


def parse(text: str, file: str, *, substitutes: bool = True) -> Document:
    """The document in a text that came from `file`; SpecError with every problem that can be found.

    `substitutes`: whether references to environment variables are replaced.
    """
    text = text.removeprefix("\ufeff")
    reader = Reader(text, file, substitutes)
    root = reader.root()
    if root is None or reader.problems:
        raise SpecError(reader.problems, {file: text})
    document = Document(file, {}, {}, {})
    document.data.update(_lay_out(root, (), document))
    return document


def inline(value: Mapping[str, Any], name: str) -> Document:
    """The document that a mapping of the program's is, which is known by this name. It is taken as it stands."""
    try:
        text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError) as error:
        message = f"this cannot be written down: {error}"
        raise SpecError(
            [Problem(Mark(name, 1, 1), "yaml-syntax", message, "use texts, numbers, lists and dicts")]
        ) from None
    return replace(parse(text, name, substitutes=False), text=text)


def part(path: str | os.PathLike[str], way: Path) -> Document | None:
    """What stands in a file under these keys and numbers, one below the other; None where nothing does.

    The rest of the file is none of ours: nothing is told of it, unless the file cannot be read at all.
    """
    file = os.fsdecode(path)
    text = text_of(path, file)
    reader = Reader(text, file)
    node = reader.root()
    if node is None:
        raise SpecError(reader.problems, {file: text})
    at = node.mark
    for key in way:
        if isinstance(node.value, dict) and key in node.value:
            at, node = node.value[str(key)]
        elif isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
        else:
            return None
    problems = reader.problems[slice(*node.told)]
    if node.value is not None and not isinstance(node.value, dict):
        message = f"{shown(str(way[-1]))} is a mapping"
        problems.append(Problem(node.mark, "not-a-mapping", message, 'write "key: value" lines'))
    if problems:
        raise SpecError(problems, {file: text})
    document = Document(file, {}, {}, {}, way=way)
    document.data.update(_lay_out(node, (), document) or {})
    document.keys[()] = at
    return document


def _lay_out(node: Node, path: Path, document: Document) -> Any:
    """The plain value of a node, with its marks noted; what an alias names is laid out anew each time it is named."""
    document.marks[path] = node.mark
    if isinstance(node.value, list):
        return [_lay_out(item, (*path, index), document) for index, item in enumerate(node.value)]
    if not isinstance(node.value, dict):
        return node.value
    document.keys.update({(*path, key): mark for key, (mark, _) in node.value.items()})
    return {key: _lay_out(value, (*path, key), document) for key, (_, value) in node.value.items()}
