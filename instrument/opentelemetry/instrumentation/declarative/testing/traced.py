"""The fixture ``traced`` as it is called in a test: which specs are meant, and how they are recorded."""

from __future__ import annotations

import functools
import os
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, NoReturn

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.language.shipped import OPTIONAL, PACKAGED
from opentelemetry.instrumentation.declarative.plan.content import NO_CONTENT, Content, content_as
from opentelemetry.instrumentation.declarative.testing.recording import Recording, Strictness
from opentelemetry.instrumentation.declarative.testing.snapshots import Snapshots
from opentelemetry.instrumentation.declarative.testing.trace import Trace, shown_path


class Traced:
    """Call it in a ``with``: just the specs that are named are at work in the block.

    Args:
        folders: where the path of a spec begins, the first of them that has it.
        make_folder: gives a new folder, for specs that are given as text.
        fail: lets the test fail with a text and nothing else.
        note: keeps a text for the report of the test, should it fail.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        snapshots: Snapshots,
        make_folder: Callable[[], Path],
        fail: Callable[[str], NoReturn],
        note: Callable[[str], None],
    ) -> None:
        self._folders = [*dict.fromkeys(folders)]
        self._snapshots = snapshots
        self._make_folder = make_folder
        self._fail = fail
        self._note = note
        self._recordings: list[Recording] = []

    def __call__(
        self,
        *specs: str | os.PathLike[str],
        content: str | None = None,
        mask: str | Iterable[str] = (),
        strict: bool = True,
        allow: str | Iterable[str] = (),
        order: Literal["start", "name"] = "start",
    ) -> Recording:
        """Record what specs make of the program.

        Args:
            specs: spec files, from the folder of the test file or the root of the tests; names of specs that are
                shipped; or texts of specs.
            content: how what people write and models say is recorded: ``full``, ``truncate:200`` or ``sha256``; by
                default it is not, whatever the environment says.
            mask: patterns of attributes whose values are shown as ``<any>``: ``shop.*_id``.
            strict: whether whatever the specs report lets the test fail.
            allow: texts; a report that has one of them in it does not.
            order: whether sibling spans stand in the order of their starts or, where that is left to chance, of their
                names.
        """
        __tracebackhide__ = True
        if not specs:
            raise ValueError('traced() has no spec: nothing would be recorded. Name one: traced("specs/shop.yaml").')
        if order not in ("start", "name"):
            raise ValueError(f'order={order!r} has no meaning: siblings stand in order of "start" or of "name".')
        shipped = {packaged.name for packaged in PACKAGED}
        files = tuple(self._file(spec) for spec in specs if spec not in shipped)
        settings = Settings(
            files,
            _content(content),
            shipped=tuple(str(spec) for spec in specs if spec in shipped),
            copies=True,
        )
        strictness = Strictness(strict, _several(allow), self._fail, self._note)
        make_trace = functools.partial(Trace, mask=_several(mask), by_name=order == "name", kept=self._snapshots)
        recording = Recording(settings, strictness, make_trace)
        self._recordings.append(recording)
        return recording

    def finish(self) -> None:
        """End a block that nobody has ended."""
        for recording in self._recordings:
            if recording.is_at_work:
                recording.stop()
                self._fail(
                    "a traced() of this test has not ended: its specs would be at work in the tests after it. "
                    "Use it in a `with`."
                )

    def _file(self, spec: str | os.PathLike[str]) -> str:
        __tracebackhide__ = True
        if isinstance(spec, str) and "\n" in spec:
            file = self._make_folder() / "spec.yaml"
            file.write_text(textwrap.dedent(spec).lstrip("\n"), encoding="utf-8")
            return str(file)
        if spec in OPTIONAL:
            return str(spec)
        for folder in self._folders:
            if (folder / spec).is_file():
                return shown_path(folder / spec)
        raise FileNotFoundError(
            f'there is no spec "{os.fspath(spec)}" in {" or ".join(map(shown_path, self._folders))}. '
            "Write its path from the folder of the test file, or give the text of a spec."
        )


def _content(value: str | None) -> Content:
    __tracebackhide__ = True
    found = NO_CONTENT if value is None else content_as(value)
    if found is None:
        raise ValueError(f'content={value!r} has no meaning. Use "full", "truncate:200" or "sha256".')
    return found


def _several(texts: str | Iterable[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)
