"""Files to specs: each file checked, its layers found, the whole merged."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from instrument.problems import Mark, Problem, SpecError, closest
from instrument.spec import layers, schema, source
from instrument.spec.packaged import OPTIONAL, PACKAGED, packaged, spec_file
from instrument.spec.releases import Meant, lay
from instrument.spec.source import Document


@dataclass(frozen=True, slots=True)
class Layers:
    """What a file asks for: the packaged spec that it changes, if any, and its own documents from the lowest up."""

    changes: str | None
    documents: tuple[Document, ...]
    #: Whether everything that is extended could be read.
    whole: bool = True

    def onto(self, base: Document | None, meant: Meant) -> Document:
        """The documents merged, onto ``base`` if there is one, each with what it says of the releases meant."""
        merged = base
        for document in self.documents:
            merged = lay(merged, document, meant)
        assert merged is not None
        return merged


def read_layers(path: str | os.PathLike[str], problems: list[Problem], left_out: set[str]) -> Layers:
    """Read a spec file and what it extends.

    Every problem of every file is added to ``problems``; what is wrong is left out of the documents, and its names
    added to ``left_out``, so that the rest can be looked at as well. Raises SpecError where nothing is left.
    """
    changes: list[tuple[str, Mark]] = []
    reader = _Reader(changes, problems, left_out)
    file = Path(spec_file(path))
    near = None if file.exists() else closest(str(path), OPTIONAL)
    if near:
        mend = f'did you mean "{near}", which is shipped?'
        raise SpecError([Problem(Mark(str(path), 1, 1), "unknown-spec", f'there is no file "{path}"', mend)])
    documents = reader.read(file, ())
    names = dict(changes)
    if len(names) > 1:
        name, mark = changes[-1]
        problems.append(
            Problem(
                mark,
                "extends-two",
                f'"{name}" is the second packaged spec that is extended here: one file changes one',
                "write one file for each",
            )
        )
    if not documents:
        raise SpecError(problems)
    return Layers(next(iter(names), None), tuple(documents), reader.whole)


def read_packaged(name: str) -> Document:
    """A shipped spec; its own tests have checked it against the schema."""
    found = packaged(name)
    assert found is not None
    return source.read(found.path)


def checked(document: Document, problems: list[Problem], left_out: set[str]) -> Document | None:
    """The document without what the schema finds wrong in it; None where nothing is left.

    The problems are added to ``problems``, and the names of what is left out to ``left_out``.
    """
    found = schema.check(document)
    if found:
        problems.extend(problem for problem in found if problem not in problems)
        document = _headed(document)
        found = schema.check(document)
    while found:
        path = layers.path_of(document, found[0].mark)
        if not path:
            return None
        left_out.add(str(path[-1]))
        document = layers.without(document, path)
        found = schema.check(document)
    return document


def _headed(document: Document) -> Document:
    """The document with a version and a name: that they are missing shall not hide what else is wrong."""
    head = {"instrument": 1, "name": "unnamed"}
    marks: dict[source.Path, Mark] = {(key,): document.marks[()] for key in head}
    return Document(document.file, {**head, **document.data}, {**marks, **document.marks}, document.keys)


class _Reader:
    """Reads a file and, through `extends`, those below it."""

    def __init__(self, changes: list[tuple[str, Mark]], problems: list[Problem], left_out: set[str]) -> None:
        self.changes = changes
        self.problems = problems
        self.left_out = left_out
        self.whole = True
        self.seen: set[Path] = set()

    def read(self, path: Path, above: tuple[Path, ...]) -> list[Document]:
        self.seen.add(path.resolve())
        try:
            document = checked(source.read(path), self.problems, self.left_out)
        except SpecError as error:
            self.problems.extend(error.problems)
            document = None
        if document is None:
            self.whole = False
            return []
        documents: list[Document] = []
        for name, mark in _extends(document):
            if packaged(name) is not None:
                self.changes.append((name, mark))
            else:
                documents += self._file(path, (*above, path.resolve()), name, mark)
        return [*documents, document]

    def _file(self, path: Path, above: tuple[Path, ...], name: str, mark: Mark) -> list[Document]:
        file = path.parent / name
        if not name.endswith((".yaml", ".yml")):
            known = [spec.name for spec in PACKAGED]
            near = closest(name, known)
            mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(known)}; a file ends in .yaml"
            self._note(mark, "unknown-spec", f'there is no packaged spec "{name}"', mend)
        elif file.resolve() == path.resolve():
            self._note(mark, "extends-cycle", "this file extends itself", "name the spec that is to be changed")
        elif file.resolve() in above:
            message = f'"{name}" extends this file in its turn: neither could be first'
            self._note(mark, "extends-cycle", message, "remove one of the two `extends`")
        elif not file.is_file():
            message = f'there is no file "{name}" beside {path.name}'
            self._note(mark, "no-file", message, "write the path from this file's folder")
        elif file.resolve() not in self.seen:  # what two layers extend lies under both, once
            return self.read(file, above)
        return []

    def _note(self, mark: Mark, code: str, message: str, mend: str) -> None:
        self.problems.append(Problem(mark, code, message, mend))
        self.whole = False


def _extends(document: Document) -> list[tuple[str, Mark]]:
    value = document.data.get("extends")
    if isinstance(value, str):
        return [(value, document.marks[("extends",)])]
    if isinstance(value, list):
        return [(str(name), document.marks[("extends", index)]) for index, name in enumerate(value)]
    return []
