"""The specs of this process: which are active, and when each is installed.

Nothing is imported that the specs do not need: a process without specs and without the library of a shipped spec loads
neither YAML nor the planner.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, SpecError
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.shipped import SHIPPED_SPECS, ShippedSpec, installed_version
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.process.left_out import LeftOutSpecs
from opentelemetry.instrumentation.declarative.process.other_instrumentations import InstrumentationWatch
from opentelemetry.instrumentation.declarative.process.specs import ListedSpec, ShippedSlot, SpecSlot
from opentelemetry.instrumentation.declarative.runtime.end_reasons import CHANGED, SHUTDOWN
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.live.live_spans import LiveSpans
    from opentelemetry.instrumentation.declarative.patching.reading_guards import ReadingGuards
    from opentelemetry.instrumentation.declarative.plan.effective import EffectiveSpec
    from opentelemetry.instrumentation.declarative.process.installation import Installation
    from opentelemetry.instrumentation.declarative.process.watch import FileWatcher
    from opentelemetry.instrumentation.declarative.report.status import SpecStatus
    from opentelemetry.instrumentation.declarative.report.writer import Report
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import SpecStats


#: Seconds that ``stop`` waits for a spec that is being installed.
PATIENCE = 5.0


class ActiveSpecs:
    """The specs of this process, from ``start`` to ``stop``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listed = [ListedSpec(each) for each in settings.specs]
        self._shipped: list[ShippedSlot] = []
        self._cancel_waits: list[Callable[[], None]] = []
        #: Shipped specs that are listed or extended, each with the first position that names it.
        self._requested: dict[ShippedSpec, Mark] = {}
        #: Held while specs are installed or removed, except by an import.
        self._lock = threading.RLock()
        self._watch: FileWatcher | None = None
        reset_in_children(self)
        self._stopped = False
        self._left_out = LeftOutSpecs()
        self._others = InstrumentationWatch(self._reconsider)
        self._report: Report | None = None
        self._live: LiveSpans | None = None
        self._guards: ReadingGuards | None = None

    def reset_after_fork(self) -> None:
        self._lock = threading.RLock()

    def start(self) -> None:
        """Read the listed specs, install those that extend no shipped one, and wait for the libraries of the others."""
        if self._settings.report is not None:
            self._report = self._start_report(self._settings.report)
        if self._settings.status or self._settings.pending_after is not None:
            self._live = self._start_live()
        for listed in self._listed:
            try:
                self._read(listed)
            except SpecError as error:
                self._left_out.invalid(str(listed), error)
            except Exception as error:
                self._left_out.failed(str(listed), str(listed), error)
        for shipped in SHIPPED_SPECS:
            self._wait_for(shipped)
        self._watch = self._start_watch()

    def _read(self, listed: ListedSpec) -> None:
        """Read a listed spec, and install it unless it extends a shipped spec."""
        from opentelemetry.instrumentation.declarative.plan.validation import read_spec

        layers = read_spec(listed.listed, listed.files, deferred=True)
        if layers.extends_shipped is None:
            from opentelemetry.instrumentation.declarative.plan.effective import effective_spec

            self._install(listed, effective_spec(layers, self._settings.content))
        listed.layers = layers

    def _wait_for(self, shipped: ShippedSpec) -> None:
        """Install a shipped spec, if it is to be active, when its library is imported."""
        overlays = [
            (listed.layers, listed.layers.documents[-1].marks[()])
            for listed in self._listed
            if listed.layers is not None and listed.extends_shipped == shipped.name
        ]
        named = self._settings.shipped
        if shipped.name in self._settings.disabled:
            self._left_out.disabled(shipped)
            return
        if overlays:
            self._requested[shipped] = overlays[0][1]
        elif named is not None and shipped.name in named:
            self._requested[shipped] = Mark(str(shipped.path), 1, 1)
        if named is not None and shipped not in self._requested:
            return
        if overlays and not installed_version(shipped.distribution):
            for _, mark in overlays:
                self._left_out.without_library(mark, shipped)
            return
        slot = ShippedSlot(shipped)
        slot.overlays = [layers for layers, _ in overlays]
        self._shipped.append(slot)
        for package in shipped.packages:
            self._cancel_waits.append(when_imported(package, functools.partial(self._library_imported, slot)))

    def stop(self) -> None:
        """Remove every installation, and stop the report, the watch and the live spans."""
        self._stopped = True
        self._others.stop()
        if self._report is not None:
            self._report.stop()
        for each in (self._watch, self._live):
            if each is not None:
                each.stop()
        # With a timeout: the installation under way may be waiting for an import, and that import for us.
        locked = self._lock.acquire(timeout=PATIENCE)
        try:
            for cancel in self._cancel_waits:
                cancel()
            self._cancel_waits.clear()
            for slot in reversed(self._slots):
                slot.uninstall(SHUTDOWN)
            if self._guards is not None:
                self._guards.remove()
        finally:
            if locked:
                self._lock.release()

    @property
    def _slots(self) -> list[SpecSlot]:
        return [*self._listed, *self._shipped]

    @property
    def _installations(self) -> list[Installation]:
        return [slot.installation for slot in self._slots if slot.installation is not None]

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def stopped(self) -> bool:
        return self._stopped

    def waiting(self) -> dict[str, Mark]:
        """The modules that the user's specs wait for, each with the first position that names it.

        Shipped specs that are not listed are not included: they hook more of their library than one program uses.
        """
        imported = {slot.shipped for slot in self._shipped if slot.imported}
        found = {shipped.packages[0]: mark for shipped, mark in self._requested.items() if shipped not in imported}
        for installation in self._installations:
            for module, mark in installation.waiting:
                if os.path.dirname(mark.file) != str(directory("configs")):
                    found.setdefault(module, mark)
        return found

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every wrapper, by its callable."""
        return {name: source for each in self._installations for name, source in each.sources.items()}

    def _library_imported(self, slot: ShippedSlot) -> None:
        if self._stopped or not slot.mark_imported():
            return
        name = slot.shipped.name
        try:
            from opentelemetry.instrumentation.declarative.plan.effective import effective_shipped_spec

            spec = effective_shipped_spec(slot.shipped, slot.overlays, self._settings.content)
            for layers, error in spec.left_out:
                self._left_out.invalid(layers.documents[-1].marks[()].file, error)
            self._install(slot, spec)
        except SpecError as error:
            self._left_out.invalid(name, error)
        except Exception as error:
            self._left_out.failed(name, f"the spec {name}", error)
        finally:
            slot.settled = True

    def _install(self, slot: SpecSlot, spec: EffectiveSpec) -> None:
        """Install a spec in its slot, in place of the installation that the slot may have."""
        self._left_out.discard(str(slot))
        if not self._left_out.supports(spec):
            slot.uninstall(CHANGED)
            return
        slot.spec = spec
        if slot.yields_to:
            self._others.start()
        if (other := slot.active_other) is not None:
            self._left_out.yielding(spec, other)
            slot.suspend(CHANGED)
        elif slot.installation is not None:
            slot.installation.change(spec.plan)
        else:
            from opentelemetry.instrumentation.declarative.process.installation import Installation

            settings = self._settings
            slot.installation = Installation(
                spec.plan,
                settings.tracer_provider,
                settings.meter_provider,
                settings.logger_provider,
                copies=settings.copies,
                stats=self._new_stats(),
                flush_on_signal=settings.flush_on_signal,
                light_spans=settings.light_spans,
            )
            self._guard_reading()
            slot.installation.install()

    def _reconsider(self) -> None:
        """Another instrumentation has been activated or deactivated: install the specs that no longer yield to one."""
        # With a timeout: the thread that holds the lock may wait for an import, and that import for this one.
        locked = self._lock.acquire(timeout=PATIENCE)
        try:
            for slot in () if self._stopped else self._slots:
                if slot.spec is not None and bool(slot.active_other) == bool(slot.installation):
                    self._install(slot, slot.spec)
        finally:
            if locked:
                self._lock.release()

    # ── Watch, report and live spans, if they are enabled ──

    def _start_watch(self) -> FileWatcher | None:
        if not self._settings.watch or not any(listed.files for listed in self._listed):
            return None
        from opentelemetry.instrumentation.declarative.process.reload import SpecReloader
        from opentelemetry.instrumentation.declarative.process.watch import FileWatcher

        reloader = SpecReloader(
            self._listed,
            self._shipped,
            self._settings.content,
            self._install,
            self._left_out.invalid,
            lambda: self._stopped,
        )

        def reload() -> None:
            with self._lock:
                reloader.reload()

        watch = FileWatcher(reloader.files, reload)
        watch.start()
        return watch

    def _start_report(self, destination: str) -> Report:
        from opentelemetry.instrumentation.declarative.report.writer import Report

        report = Report(destination, self.status, self._settings.report_signal)
        report.start()
        return report

    def _start_live(self) -> LiveSpans:
        from opentelemetry.instrumentation.declarative.live.live_spans import LiveSpans

        settings = self._settings
        live = LiveSpans(settings.tracer_provider, status=settings.status, pending_after=settings.pending_after)
        live.start()
        return live

    def _guard_reading(self) -> None:
        # Not at the top: a process without a spec does not need the classes of plans that it imports.
        from opentelemetry.instrumentation.declarative.patching.reading_guards import ReadingGuards

        self._guards = self._guards or ReadingGuards()
        self._guards.install()

    def _new_stats(self) -> SpecStats | None:
        if self._report is None:
            return None
        from opentelemetry.instrumentation.declarative.runtime.rule_stats import SpecStats

        return SpecStats()

    def status(self) -> list[SpecStatus]:
        """The status of every spec: installed, waiting for its library, or left out."""
        found = [installation.status for installation in self._installations]
        for slot in self._shipped:
            requested = slot.shipped in self._requested
            if not slot.imported and (requested or installed_version(slot.shipped.distribution)):
                found.append(slot.waiting_status(requested))
        return [*found, *self._left_out.statuses()]
