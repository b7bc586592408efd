"""The specs of a process: those that the user lists and those that are shipped, each with its installation."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.language.shipped import ShippedSpec
from opentelemetry.instrumentation.declarative.process.other_instrumentations import active_instrumentation
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.document import Document
    from opentelemetry.instrumentation.declarative.language.loading import Layers
    from opentelemetry.instrumentation.declarative.language.text_file import FileStamp
    from opentelemetry.instrumentation.declarative.plan.effective import EffectiveSpec
    from opentelemetry.instrumentation.declarative.process.installation import Installation
    from opentelemetry.instrumentation.declarative.report.status import SpecStatus


class SpecSlot:
    """Holds the installation of a spec, if it has one."""

    installation: Installation | None = None
    #: The spec, also while it is not installed because another instrumentation of its library is active.
    spec: EffectiveSpec | None = None

    @property
    def yields_to(self) -> tuple[str, ...]:
        """The other instrumentations that the spec yields to."""
        target = self.spec.plan.spec.target if self.spec is not None else None
        return target.yields_to if target is not None else ()

    @property
    def active_other(self) -> str | None:
        """The one of them that is active; None if none is."""
        return active_instrumentation(self.yields_to)

    def uninstall(self, reason: str) -> None:
        """Undo the installation, if there is one. Spans that are open end with the reason."""
        self.spec = None
        self.suspend(reason)

    def suspend(self, reason: str) -> None:
        """The same, but keep the spec."""
        if self.installation is not None:
            self.installation.remove(reason)
            self.installation = None


class ListedSpec(SpecSlot):
    """A spec that the user lists. It has no installation of its own if it extends a shipped spec."""

    def __init__(self, listed: str | os.PathLike[str] | Document) -> None:
        self.listed = listed
        #: The last layers that were read without a problem.
        self.layers: Layers | None = None
        #: Each file that was looked for, with its stamp before it was read.
        self.files: dict[str, FileStamp] = {}
        #: Whether the last save has problems, so that an older state is in effect.
        self.outdated = False

    def __str__(self) -> str:
        return self.listed.file if not isinstance(self.listed, (str, os.PathLike)) else os.fsdecode(self.listed)

    @property
    def extends_shipped(self) -> str | None:
        """The name of the shipped spec that it extends."""
        return self.layers.extends_shipped if self.layers else None


class ShippedSlot(SpecSlot):
    """A shipped spec whose library is installed. It is planned when the library is imported."""

    def __init__(self, shipped: ShippedSpec) -> None:
        self.shipped = shipped
        #: Replaced as a whole by a reload.
        self.overlays: list[Layers] = []
        #: Whether the library has been imported, and whether the spec has been installed since.
        self.imported = self.settled = False
        self._lock = threading.Lock()
        reset_in_children(self)

    def __str__(self) -> str:
        return str(self.shipped.path)

    def reset_after_fork(self) -> None:
        self._lock = threading.Lock()

    def waiting_status(self, requested: bool) -> SpecStatus:
        """The status while the library is not imported. ``requested``: whether the user has named the spec."""
        from opentelemetry.instrumentation.declarative.report.status import SpecStatus

        reason = f"{' or '.join(self.shipped.packages)} was not imported"
        return SpecStatus(self.shipped.name, str(self.shipped.path), "waiting", reason, requested=requested)

    def mark_imported(self) -> bool:
        """Note that the library has been imported. Returns whether this is the first time.

        Two threads may import two of its packages.
        """
        with self._lock:
            first, self.imported = not self.imported, True
        return first

    def replace_overlays(self, overlays: list[Layers]) -> bool:
        """Set the overlays of a reload. Returns whether the spec must be installed now, as the library is imported."""
        with self._lock:
            self.overlays = overlays
            return self.imported
