"""Specs that are saved while the program runs: each is read anew and put to work, or stays as it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError
from opentelemetry.instrumentation.declarative.language.shipped import OPTIONAL
from opentelemetry.instrumentation.declarative.language.text_file import Stamp, stamp_of
from opentelemetry.instrumentation.declarative.plan.content import Content
from opentelemetry.instrumentation.declarative.plan.validation import read_spec
from opentelemetry.instrumentation.declarative.process.specs import Entry, Holder, Shipped, plan_of_own, plan_of_shipped

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.document import Document
    from opentelemetry.instrumentation.declarative.plan.model import Plan


class Rereading:
    """Takes up changes of the listed specs.

    ``install`` puts a plan to work in the place of the one that its holder has; ``leave_out`` is told of what has a
    problem, and what becomes of it; ``is_over`` says whether the specs are no longer to be at work.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        shipped: Sequence[Shipped],
        content: Content,
        install: Callable[[Holder, Plan], None],
        leave_out: Callable[..., None],
        is_over: Callable[[], bool],
    ) -> None:
        self._entries = entries
        self._shipped = shipped
        self._content = content
        self._install = install
        self._leave_out = leave_out
        self._is_over = is_over
        #: Paths are meant from where the program was when it listed them.
        self._folder = _folder()

    def files(self) -> dict[str, Stamp]:
        """Each file that a spec was read from or looked for, with its state then."""
        files: dict[str, Stamp] = {}
        for entry in self._entries:
            for file, stamp in entry.files.items():
                files.setdefault(file, stamp)
        return files

    def reread(self) -> None:
        """Take up each spec of which a file has changed; one with problems stays in effect as it was."""
        for entry in self._entries:
            if self._is_over() or all(stamp_of(file) == stamp for file, stamp in entry.files.items()):
                continue
            files: dict[str, Stamp] = {}
            try:
                done = self._take_up(entry, files)
            except SpecError as error:
                kept = f"{entry} stays in effect as it was" if entry.layers else "this spec is left out"
                self._leave_out(str(entry), error, kept)
                done, entry.kept = True, True
            except Exception:
                logger.exception("%s could not be taken up anew. The program runs on.", entry)
                done = True
            if done:
                entry.files = {**{file: stamp_of(file) for file in entry.files}, **files}

    def _take_up(self, entry: Entry, files: dict[str, Stamp]) -> bool:
        """Read a spec anew and put it to work; False where that has to wait for an import."""
        layers = read_spec(self._listed(entry, files), files)
        if layers == entry.layers:
            if entry.kept:
                logger.warning("%s is in order again; it has been in effect all the time.", entry)
            entry.kept = False
            return True
        concerned = [each for each in self._shipped if each.packaged.name in {layers.changes, entry.changes}]
        if any(shipped.woken and not shipped.settled for shipped in concerned):
            return False
        plan = plan_of_own(layers, self._content) if layers.changes is None else None
        now = [layers if other is entry else other.layers for other in self._entries]
        plans = []
        for shipped in concerned:
            changes = [each for each in now if each and each.changes == shipped.packaged.name]
            plans.append(plan_of_shipped(shipped.packaged, changes, self._content, self._leave_out, layers))
        if plan is not None:
            self._install(entry, plan)
        else:
            entry.remove()
        for shipped, changed in zip(concerned, plans, strict=True):
            if shipped.change(changed):
                self._install(shipped, changed)
        entry.layers, entry.kept = layers, False
        logger.warning("%s has changed: it is in effect now.", entry)
        return True

    def _listed(self, entry: Entry, files: dict[str, Stamp]) -> str | os.PathLike[str] | Document:
        """What is to be read anew of a spec: the file, from wherever the program is now, or what stands inline."""
        listed = entry.listed
        moved = _folder() != self._folder
        if isinstance(listed, (str, os.PathLike)):
            return os.path.join(self._folder, listed) if moved and listed not in OPTIONAL else listed
        if listed.text is not None:
            return listed
        from opentelemetry.instrumentation.declarative.language.document import part

        file = os.path.join(self._folder, listed.file) if moved else listed.file
        files[os.path.abspath(file)] = stamp_of(file)
        found = part(file, listed.way)
        if found is None:
            place = " ".join(f"{step}:" if isinstance(step, str) else f"[{step}]" for step in listed.way)
            problem = Problem(Mark(listed.file, 1, 1), "no-spec", f"there is no spec any longer under {place}")
            raise SpecError([problem])
        return found


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return ""
