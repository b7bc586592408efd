"""The specs that are to be at work: each that the user has listed, and each that ships; what they are planned as."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.language.shipped import Packaged, installed_version
from opentelemetry.instrumentation.declarative.language.text_file import Stamp
from opentelemetry.instrumentation.declarative.process.installation import CHANGED, Installation
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.document import Document
    from opentelemetry.instrumentation.declarative.language.loading import Layers
    from opentelemetry.instrumentation.declarative.plan.content import Content
    from opentelemetry.instrumentation.declarative.plan.model import Plan


class Holder:
    """What may have an installation."""

    installation: Installation | None = None

    def remove(self, why: str = CHANGED) -> None:
        """Undo its installation, if it has one; what is open ends, marked with why."""
        if self.installation is not None:
            self.installation.remove(why)
            self.installation = None


class Entry(Holder):
    """A spec that the user has listed: what of it is in effect, and what it was read from."""

    def __init__(self, listed: str | os.PathLike[str] | Document) -> None:
        self.listed = listed
        #: The last of its layers that had no problem. They have an installation if they change no other spec.
        self.layers: Layers | None = None
        #: Each file that was looked for, with its state when it was.
        self.files: dict[str, Stamp] = {}
        #: Whether the last save was no good, and what is in effect is older.
        self.kept = False

    def __str__(self) -> str:
        return self.listed.file if not isinstance(self.listed, (str, os.PathLike)) else os.fsdecode(self.listed)

    @property
    def changes(self) -> str | None:
        """The name of the packaged spec that it changes."""
        return self.layers.changes if self.layers else None


class Shipped(Holder):
    """A packaged spec whose library is installed. It is planned when the library is imported, or if it is changed."""

    def __init__(self, packaged: Packaged) -> None:
        self.packaged = packaged
        self.plan: Plan | None = None
        #: Whether its library has been imported, and whether what is done then has been done.
        self.woken = self.settled = False
        self._lock = threading.Lock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """In a child process: who held the lock is not there."""
        self._lock = threading.Lock()

    def wake(self) -> bool:
        """Its library has been imported; whether for the first time: two threads may import two of its packages."""
        with self._lock:
            first, self.woken = not self.woken, True
        return first

    def change(self, plan: Plan) -> bool:
        """Take another plan; whether it has to be put to work now, because the library is there."""
        with self._lock:
            self.plan = plan
            return self.woken


def plan_of_own(layers: Layers, content: Content) -> Plan:
    """The plan of a spec that changes no packaged one. Raises SpecError."""
    # Imported when there is something to read: a process that reads no spec has no need of YAML.
    from opentelemetry.instrumentation.declarative.language.releases import installed, no_release
    from opentelemetry.instrumentation.declarative.plan.validation import plan_of

    target = layers.onto(None, no_release).data.get("target") or {}
    meant = installed(installed_version(target["distribution"]) if target else None)
    return plan_of(layers.onto(None, meant), content=content)


def plan_of_shipped(
    packaged: Packaged,
    changes: Iterable[Layers],
    content: Content,
    leave_out: Callable[[str, SpecError], None],
    new: Layers | None = None,
) -> Plan:
    """The plan of a packaged spec with the user's changes.

    A change that has a problem is told to ``leave_out``, with its file. Not so the ``new`` one: it is raised.
    """
    from opentelemetry.instrumentation.declarative.language.loading import read_packaged
    from opentelemetry.instrumentation.declarative.language.releases import installed, lay
    from opentelemetry.instrumentation.declarative.plan.validation import plan_of

    meant = installed(installed_version(packaged.distribution))
    document = lay(None, read_packaged(packaged.name), meant)
    plan = plan_of(document, content=content)
    for layers in changes:
        try:
            changed = layers.onto(document, meant)
            plan = plan_of(changed, content=content)
            document = changed
        except SpecError as error:
            if layers is new:
                raise
            leave_out(layers.documents[-1].marks[()].file, error)
    return plan
