"""The fixture ``traced`` as tests call it: which specs are active, and how spans are recorded."""

from __future__ import annotations

import functools
import os
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, NoReturn

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.language.content_policy import (
    NO_CONTENT,
    ContentPolicy,
    parse_content_policy,
)
from opentelemetry.instrumentation.declarative.language.shipped import OPT_IN_SPECS, SHIPPED_SPECS
from opentelemetry.instrumentation.declarative.testing.recorded_trace import Trace, shown_path
from opentelemetry.instrumentation.declarative.testing.recording import Recording, ReportPolicy
from opentelemetry.instrumentation.declarative.testing.snapshots import SnapshotFolder


class Traced:
    """Call it in a ``with`` statement: only the specs that are passed are active in the block.

    Args:
        folders: the folders in which a spec is looked for, in this order.
        snapshots: the snapshots of the test.
        make_folder: returns a new folder, for specs that are passed as text.
        fail: makes the test fail with this text and no traceback.
        note: adds a text to the report of the test, in case it fails.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        snapshots: SnapshotFolder,
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
        """Record the spans of a block.

        Args:
            specs: spec files, relative to the folder of the test file or to pytest's root; names of shipped specs; or
                texts of specs.
            content: how message content is recorded: ``full``, ``truncate:200`` or ``sha256``. By default it is not
                recorded, whatever the environment says.
            mask: patterns of attributes whose values are shown as ``<any>``, for example ``shop.*_id``.
            strict: whether the test fails if the specs report anything.
            allow: texts; a report that contains one of them does not make the test fail.
            order: whether siblings are sorted by their start or, if threads start them in a random order, by their
                text.
        """
        __tracebackhide__ = True
        if not specs:
            raise ValueError('traced() has no spec: nothing would be recorded. Pass one: traced("specs/shop.yaml").')
        if order not in ("start", "name"):
            raise ValueError(f'order={order!r} is not valid. Use "start" or "name".')
        shipped = {spec.name for spec in SHIPPED_SPECS}
        settings = Settings(
            tuple(self._file(spec) for spec in specs if spec not in shipped),
            _content_policy(content),
            shipped=tuple(str(spec) for spec in specs if spec in shipped),
            copies=True,
        )
        policy = ReportPolicy(strict, _as_tuple(allow), self._fail, self._note)
        make_trace = functools.partial(Trace, mask=_as_tuple(mask), by_name=order == "name", snapshots=self._snapshots)
        recording = Recording(settings, policy, make_trace)
        self._recordings.append(recording)
        return recording

    def finish(self) -> None:
        """Fail the test if a block of it has not ended, and end the block."""
        for recording in self._recordings:
            if recording.is_active:
                recording.stop()
                self._fail(
                    "a traced() of this test has not ended: its specs would be active in later tests. "
                    "Use it in a `with`."
                )

    def _file(self, spec: str | os.PathLike[str]) -> str:
        __tracebackhide__ = True
        if isinstance(spec, str) and "\n" in spec:
            file = self._make_folder() / "spec.yaml"
            file.write_text(textwrap.dedent(spec).lstrip("\n"), encoding="utf-8")
            return str(file)
        if spec in OPT_IN_SPECS:
            return str(spec)
        for folder in self._folders:
            if (folder / spec).is_file():
                return shown_path(folder / spec)
        raise FileNotFoundError(
            f'there is no spec "{os.fspath(spec)}" in {" or ".join(map(shown_path, self._folders))}. '
            "Write its path relative to the folder of the test file, or pass the text of a spec."
        )


def _content_policy(value: str | None) -> ContentPolicy:
    __tracebackhide__ = True
    policy = NO_CONTENT if value is None else parse_content_policy(value)
    if policy is None:
        raise ValueError(f'content={value!r} is not valid. Use "full", "truncate:200" or "sha256".')
    return policy


def _as_tuple(texts: str | Iterable[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)
