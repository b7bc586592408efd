"""Files to specs: each file checked, its layers found, the whole merged."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    MOST_PROBLEMS,
    Mark,
    Problem,
    SpecError,
    closest,
    shown,
)
from opentelemetry.instrumentation.declarative.language import document as source
from opentelemetry.instrumentation.declarative.language import layers, schema
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.releases import Meant, lay
from opentelemetry.instrumentation.declarative.language.shipped import OPTIONAL, PACKAGED, packaged, spec_file
from opentelemetry.instrumentation.declarative.language.text_file import Stamp, content_of, stamp_of

#: How many files and packaged specs one file extends, all in all.
MOST_FILES = 50

_FIRST_LINE = re.compile(rb"^[\"']?instrument[\"']?[ \t]*:", re.MULTILINE)


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


def read_layers(
    spec: str | os.PathLike[str] | Document,
    problems: list[Problem],
    left_out: set[source.Path],
    files: dict[str, Stamp] | None = None,
) -> Layers:
    """Read a spec, a file or a document that has been read already, and what it extends.

    ``files`` is given each file that is looked for, with its state before it is read.

    Every problem of every file is added to ``problems``; what is wrong is left out of the documents, and its path
    added to ``left_out``, so that the rest can be looked at as well. Raises SpecError where nothing is left.
    """
    changes: list[tuple[str, Mark]] = []
    reader = _Reader(changes, problems, left_out, {} if files is None else files)
    if isinstance(spec, Document):
        documents = reader.read(Path(spec.file), (), spec)
    else:
        file = Path(spec_file(spec))
        near = None if file.exists() else closest(str(spec), OPTIONAL)
        if near:
            mend = f'did you mean "{near}", which is shipped?'
            raise SpecError([Problem(Mark(str(spec), 1, 1), "unknown-spec", f'there is no file "{spec}"', mend)])
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


def checked(document: Document, problems: list[Problem], left_out: set[source.Path]) -> Document | None:
    """The document without what the schema finds wrong in it; None where nothing is left.

    The problems are added to ``problems``, and the paths of what is left out to ``left_out``.
    """
    found = schema.check(document)
    if found:
        known = set(problems)
        problems.extend(problem for problem in found if problem not in known)
        if len(found) > MOST_PROBLEMS:
            return None
        document = _headed(document)
        found = schema.check(document)
    while found:
        # All at once: to look again after each of them would take the square of their number.
        paths = [path for problem in found if (path := layers.path_of(document, problem.mark))]
        if not paths:
            return None
        for path in paths:
            left_out.add(layers.removed_by(path))
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

    def __init__(
        self,
        changes: list[tuple[str, Mark]],
        problems: list[Problem],
        left_out: set[source.Path],
        files: dict[str, Stamp],
    ) -> None:
        self.changes = changes
        self.files = files
        self.problems = problems
        self.left_out = left_out
        self.whole = True
        self.seen: set[Path] = set()
        self.named = 0

    def read(self, path: Path, above: tuple[Path, ...], given: Document | None = None) -> list[Document]:
        """The documents of a file: those that it extends first. ``above``: the files through which it was reached.

        ``given``: what has been read of the file already.
        """
        if given is None or given.text is None:
            self.files.setdefault(os.path.abspath(path), stamp_of(path))
        above = (*above, place) if (place := _place(path)) else above
        self.seen.update(above)
        try:
            document = checked(given or source.read(path), self.problems, self.left_out)
        except SpecError as error:
            self.problems.extend(error.problems)
            document = None
        if document is None:
            self.whole = False
            return []
        documents: list[Document] = []
        for name, mark in _extends(document):
            self.named += 1
            if self.named > MOST_FILES:
                message = f"more than {MOST_FILES} files and specs are extended here, one through the other"
                self._note(mark, "too-large", message, "put what belongs together into one file")
                break
            if packaged(name) is not None:
                self.changes.append((name, mark))
            else:
                documents += self._file(path, above, name, mark)
        return [*documents, document]

    def _file(self, path: Path, above: tuple[Path, ...], name: str, mark: Mark) -> list[Document]:
        file = path.parent / name
        place = _place(file)
        if place is not None and name.endswith((".yaml", ".yml")):
            self.files.setdefault(os.path.abspath(file), stamp_of(file))
        if not name.endswith((".yaml", ".yml")):
            known = [spec.name for spec in PACKAGED]
            near = closest(name, known)
            mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(known)}; a file ends in .yaml"
            self._note(mark, "unknown-spec", f"there is no packaged spec {shown(name)}", mend)
        elif Path(name).is_absolute() or PureWindowsPath(name).drive:
            message = f"{shown(name)} is an absolute path: it is another file on every machine"
            self._note(mark, "outside-folder", message, "write the path from this file's folder, or list the file")
        elif place is None or not place.is_file():
            message = f"there is no file {shown(name)} beside {path.name}"
            self._note(mark, "no-file", message, "write the path from this file's folder")
        elif place == above[-1]:
            self._note(mark, "extends-cycle", "this file extends itself", "name the spec that is to be changed")
        elif place in above:
            message = f"{shown(name)} extends this file in its turn: neither could be first"
            self._note(mark, "extends-cycle", message, "remove one of the two `extends`")
        elif len(above) > 1 and not any(place.is_relative_to(folder.parent) for folder in (above[0], above[-1])):
            message = f"{shown(name)} lies outside the folder of {above[0].name}, which does not name it itself"
            self._note(mark, "outside-folder", message, f"name it under `extends` of {above[0].name}")
        elif not place.is_relative_to(above[0].parent) and not _is_spec(place):
            # Nothing more is told of it: a problem would show pieces of a file that is none of the spec's business.
            self._note(mark, "no-spec", f"{shown(name)} is no spec", 'name a file with the line "instrument: 1"')
        elif place not in self.seen:  # what two layers extend lies under both, once
            return self.read(file, above)
        return []

    def _note(self, mark: Mark, code: str, message: str, mend: str) -> None:
        self.problems.append(Problem(mark, code, message, mend))
        self.whole = False


def _place(path: Path) -> Path | None:
    """Where a path leads, links followed; None where it leads nowhere: a circle of links, a name that cannot be one."""
    try:
        place = path.resolve()
        place.is_file()
    except (OSError, RuntimeError, ValueError):
        return None
    return place


def _is_spec(place: Path) -> bool:
    try:
        return bool(_FIRST_LINE.search(content_of(place, str(place))))
    except SpecError:
        return False


def _extends(document: Document) -> list[tuple[str, Mark]]:
    value = document.data.get("extends")
    if isinstance(value, str):
        return [(value, document.marks[("extends",)])]
    if isinstance(value, list):
        return [(str(name), document.marks[("extends", index)]) for index, name in enumerate(value)]
    return []
