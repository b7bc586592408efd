"""The specs of this process: which are active, and when each is put to work."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.shipped import PACKAGED, Packaged, installed_version
from opentelemetry.instrumentation.declarative.patching.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.process.installation import Installation
from opentelemetry.instrumentation.declarative.process.specs import Entry, Holder, Shipped, plan_of_own, plan_of_shipped
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.plan.model import Plan
    from opentelemetry.instrumentation.declarative.process.watch import Watch
    from opentelemetry.instrumentation.declarative.report.status import SpecStatus
    from opentelemetry.instrumentation.declarative.report.writer import Report
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import Tallies


#: Seconds that the end of instrumentation waits for a spec that is just being taken up.
PATIENCE = 5.0


class Active:
    """The specs of this process. Those of a library that is never imported are never read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries = [Entry(listed) for listed in settings.specs]
        self._shipped: list[Shipped] = []
        self._waits: list[Callable[[], None]] = []
        #: What ships and has been listed or changed, with the first place that says so.
        self._asked_for: dict[Packaged, Mark] = {}
        #: Held while specs are put to work or taken from it, but by an import.
        self._changing = threading.RLock()
        self._watch: Watch | None = None
        reset_in_children(self)
        self._stopped = False
        #: Files and specs that are not at work, and why not; for a report.
        self._idle: dict[str, str] = {}
        self._report: Report | None = None

    def reset_after_fork(self) -> None:
        """In a child process: who held the lock is not there."""
        self._changing = threading.RLock()

    def start(self) -> None:
        if self._settings.report is not None:
            self._report = self._reporting(self._settings.report)
        for entry in self._entries:
            try:
                self._begin(entry)
            except SpecError as error:
                self._leave_out(str(entry), error)
            except Exception as error:
                self._idle[str(entry)] = f"{type(error).__name__}: {error}"
                logger.exception("%s could not be installed. The program runs on without it.", entry)
        for packaged in PACKAGED:
            changes = [entry for entry in self._entries if entry.changes == packaged.name]
            if not self._is_meant(packaged, changes):
                continue
            if not installed_version(packaged.distribution):
                for entry in changes:
                    assert entry.layers is not None
                    mark = entry.layers.documents[-1].marks[()]
                    self._idle[mark.file] = f"it changes {packaged.distribution}, which is not installed"
                    logger.warning(
                        "%s: this spec changes %s, which is not installed.", mark.file, packaged.distribution
                    )
                continue
            shipped = Shipped(packaged)
            self._shipped.append(shipped)
            if changes:
                layers = [entry.layers for entry in changes if entry.layers]
                shipped.plan = plan_of_shipped(packaged, layers, self._settings.content, self._leave_out)
            for package in packaged.packages:
                self._waits.append(when_imported(package, functools.partial(self._wake, shipped)))
        self._watch = self._watching()

    def _is_meant(self, packaged: Packaged, changes: list[Entry]) -> bool:
        """Whether what ships is to be at work: all of it, but where the settings name some of it."""
        named = self._settings.shipped
        if changes and changes[0].layers is not None:
            self._asked_for[packaged] = changes[0].layers.documents[-1].marks[()]
        elif named is not None and packaged.name in named:
            self._asked_for[packaged] = Mark(str(packaged.path), 1, 1)
        return named is None or packaged in self._asked_for

    def _begin(self, entry: Entry) -> None:
        """Install a spec of the user's; one that changes a packaged spec is kept for when that is planned."""
        # Imported when there is something to read: a process that reads no spec has no need of YAML.
        from opentelemetry.instrumentation.declarative.plan.validation import read_spec

        layers = read_spec(entry.listed, entry.files)
        if layers.changes is None:
            self._install(entry, plan_of_own(layers, self._settings.content))
        entry.layers = layers

    def stop(self) -> None:
        self._stopped = True
        if self._report is not None:
            self._report.stop()
        if self._watch is not None:
            self._watch.stop()
        # Not for ever: what is being taken up may be waiting for an import, and that for us.
        changing = self._changing.acquire(timeout=PATIENCE)
        try:
            self._end()
        finally:
            if changing:
                self._changing.release()

    def _end(self) -> None:
        for stop_waiting in self._waits:
            stop_waiting()
        self._waits.clear()
        for holder in reversed(self._holders):
            holder.remove("shutdown")

    @property
    def _holders(self) -> list[Holder]:
        return [*self._entries, *self._shipped]

    @property
    def _installed(self) -> list[Installation]:
        return [holder.installation for holder in self._holders if holder.installation is not None]

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def stopped(self) -> bool:
        return self._stopped

    def waiting(self) -> dict[str, Mark]:
        """What the user's specs wait for: modules that have not been imported, each with the first place that says so.

        What ships hooks more of its library than one program uses: it is not asked.
        """
        woken = {shipped.packaged for shipped in self._shipped if shipped.woken}
        found = {packaged.packages[0]: mark for packaged, mark in self._asked_for.items() if packaged not in woken}
        for installation in self._installed:
            for module, mark in installation.waiting:
                if os.path.dirname(mark.file) != str(directory("configs")):
                    found.setdefault(module, mark)
        return found

    @property
    def sources(self) -> dict[str, str]:
        return {name: source for installation in self._installed for name, source in installation.sources.items()}

    def _wake(self, shipped: Shipped) -> None:
        """The library of a packaged spec has been imported."""
        if self._stopped or not shipped.wake():
            return
        try:
            plan = shipped.plan
            if plan is None:
                plan = plan_of_shipped(shipped.packaged, [], self._settings.content, self._leave_out)
            self._install(shipped, plan)
        except SpecError as error:
            self._leave_out(shipped.packaged.name, error)
        except Exception as error:
            self._idle[shipped.packaged.name] = f"{type(error).__name__}: {error}"
            logger.exception(
                "the spec %s could not be installed. The program runs on without it.", shipped.packaged.name
            )
        finally:
            shipped.settled = True

    def _install(self, holder: Holder, plan: Plan) -> None:
        """Put a plan to work, in the place of the one that its holder may have at work already."""
        self._idle.pop(str(holder), None)
        target = plan.spec.target
        if target is not None and not self._in_range(target.name, target.version, target.mark):
            holder.remove()
        elif holder.installation is not None:
            holder.installation.change(plan)
        else:
            user = self._settings
            holder.installation = Installation(
                plan, user.tracer_provider, user.meter_provider, copies=user.copies, tallies=self._tallies()
            )
            holder.installation.install()

    def _watching(self) -> Watch | None:
        """Where specs are to be taken up as they are saved, what looks at their files."""
        if not self._settings.watch or not any(entry.files for entry in self._entries):
            return None
        from opentelemetry.instrumentation.declarative.process.reload import Rereading
        from opentelemetry.instrumentation.declarative.process.watch import Watch

        rereading = Rereading(
            self._entries,
            self._shipped,
            self._settings.content,
            self._install,
            self._leave_out,
            lambda: self._stopped,
        )

        def reread() -> None:
            with self._changing:
                rereading.reread()

        watch = Watch(rereading.files, reread)
        watch.start()
        return watch

    def _in_range(self, distribution: str, wanted: str, mark: Mark) -> bool:
        version = installed_version(distribution)
        if version is None:
            self._idle[mark.file] = f"{distribution} is not installed"
            logger.info("%s: %s is not installed; this spec is not needed.", mark, distribution)
            return False
        # Imported where there is a spec to be planned: a process that reads none has no need of YAML.
        from opentelemetry.instrumentation.declarative.language.releases import is_within

        inside = is_within(version, wanted)
        if inside is None:
            problem = Problem(mark, "bad-version", f'"{wanted}" is no version specifier', 'write it as ">=1.0,<2"')
            self._leave_out(mark.file, SpecError([problem]))
        elif not inside:
            self._idle[mark.file] = f"{distribution} {version} is installed, and this spec is for {wanted}"
            logger.warning(
                "%s: %s %s is installed and this spec is for %s: nothing is traced by it.",
                mark,
                distribution,
                version,
                wanted,
            )
        return bool(inside)

    def _leave_out(self, name: str, error: SpecError, otherwise: str = "this spec is left out") -> None:
        self._idle[name] = str(error)
        count = len(error.problems)
        logger.error("%s\n%d problem%s: %s; the program runs on.", error, count, "" if count == 1 else "s", otherwise)

    # ── The report, where one is asked for ──

    def _reporting(self, where: str) -> Report:
        from opentelemetry.instrumentation.declarative.report.writer import Report

        report = Report(where, self.status, self._settings.report_signal)
        report.start()
        return report

    def _tallies(self) -> Tallies | None:
        if self._report is None:
            return None
        from opentelemetry.instrumentation.declarative.runtime.rule_stats import Tallies

        return Tallies()

    def status(self) -> list[SpecStatus]:
        """The state of every spec: those at work, those that wait for their library, those left out."""
        from opentelemetry.instrumentation.declarative.report.status import SpecStatus

        found = [installation.status for installation in list(self._installed)]
        for packaged in (shipped.packaged for shipped in self._shipped if not shipped.woken):
            why = f"{' or '.join(packaged.packages)} was not imported"
            found.append(SpecStatus(packaged.name, str(packaged.path), "waiting", why))
        return [
            *found,
            *(SpecStatus(os.path.basename(name), name, "left out", why) for name, why in dict(self._idle).items()),
        ]
