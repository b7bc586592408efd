"""The specs of this process: which are active, and when each is put to work."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from instrument.imports import when_imported
from instrument.installation import CHANGED, Installation
from instrument.log import logger
from instrument.problems import Mark, Problem, SpecError
from instrument.resources import directory
from instrument.runtime.forks import forget_in_children
from instrument.settings import Settings
from instrument.spec.file import Stamp, stamp_of
from instrument.spec.packaged import OPTIONAL, PACKAGED, Packaged, installed_version

if TYPE_CHECKING:
    from instrument.plan.model import Plan
    from instrument.report.status import SpecStatus
    from instrument.report.writer import Report
    from instrument.runtime.tally import Tallies
    from instrument.spec.load import Layers
    from instrument.spec.source import Document
    from instrument.watch import Watch


#: Seconds that the end of instrumentation waits for a spec that is just being taken up.
PATIENCE = 5.0


class _Entry:
    """A spec that the user has listed: what of it is in effect, and what it was read from."""

    def __init__(self, listed: str | os.PathLike[str] | Document) -> None:
        self.listed = listed
        #: The last of its layers that had no problem, and the installation that they have if they change no other spec.
        self.layers: Layers | None = None
        self.installation: Installation | None = None
        #: Each file that was looked for, with its state when it was.
        self.files: dict[str, Stamp] = {}
        #: Whether the last save was no good, and what is in effect is older.
        self.kept = False

    def __str__(self) -> str:
        return self.listed.file if not isinstance(self.listed, (str, os.PathLike)) else os.fsdecode(self.listed)


class _Shipped:
    """A packaged spec whose library is installed. It is planned when the library is imported, or if it is changed."""

    def __init__(self, packaged: Packaged) -> None:
        self.packaged = packaged
        self.plan: Plan | None = None
        #: Whether its library has been imported, and whether what is done then has been done.
        self.woken = self.settled = False
        self.installation: Installation | None = None


class Active:
    """The specs of this process. Those of a library that is never imported are never read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries = [_Entry(listed) for listed in settings.specs]
        self._shipped: list[_Shipped] = []
        self._waits: list[Callable[[], None]] = []
        #: What ships and has been listed or changed, with the first place that says so.
        self._asked_for: dict[Packaged, Mark] = {}
        self._waking = threading.Lock()
        #: Held while specs are put to work or taken from it, but by an import.
        self._changing = threading.RLock()
        self._watch: Watch | None = None
        self._folder = _folder()
        forget_in_children(self)
        self._stopped = False
        #: Files and specs that are not at work, and why not; for a report.
        self._idle: dict[str, str] = {}
        self._report: Report | None = None

    def forget(self) -> None:
        """In a child process: who held the locks is not there."""
        self._waking = threading.Lock()
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
            changes = [entry for entry in self._entries if entry.layers and entry.layers.changes == packaged.name]
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
            shipped = _Shipped(packaged)
            self._shipped.append(shipped)
            if changes:
                shipped.plan = self._planned(packaged, [entry.layers for entry in changes if entry.layers])
            for package in packaged.packages:
                self._waits.append(when_imported(package, functools.partial(self._wake, shipped)))
        if self._settings.watch and any(entry.files for entry in self._entries):
            from instrument.watch import Watch

            self._watch = Watch(self._files, self._reread)
            self._watch.start()

    def _is_meant(self, packaged: Packaged, changes: list[_Entry]) -> bool:
        """Whether what ships is to be at work: all of it, but where the settings name some of it."""
        named = self._settings.shipped
        if changes and changes[0].layers is not None:
            self._asked_for[packaged] = changes[0].layers.documents[-1].marks[()]
        elif named is not None and packaged.name in named:
            self._asked_for[packaged] = Mark(str(packaged.path), 1, 1)
        return named is None or packaged in self._asked_for

    def _begin(self, entry: _Entry) -> None:
        """Install a spec of the user's; one that changes a packaged spec is kept for when that is planned."""
        # Imported when there is something to read: a process that reads no spec has no need of YAML.
        from instrument.prepare import read_spec

        layers = read_spec(entry.listed, entry.files)
        if layers.changes is None:
            self._install(entry, self._plan_of(layers))
        entry.layers = layers

    def _plan_of(self, layers: Layers) -> Plan:
        """The plan of a spec that changes no packaged one."""
        from instrument.prepare import plan_of
        from instrument.spec.releases import installed, no_release

        target = layers.onto(None, no_release).data.get("target") or {}
        meant = installed(installed_version(target["distribution"]) if target else None)
        return plan_of(layers.onto(None, meant), content=self._settings.content)

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
            if holder.installation is not None:
                holder.installation.remove()
                holder.installation = None

    @property
    def _holders(self) -> list[_Entry | _Shipped]:
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

    def _wake(self, shipped: _Shipped) -> None:
        """The library of a packaged spec has been imported."""
        with self._waking:  # two threads may import two of its packages at once
            if self._stopped or shipped.woken:
                return
            shipped.woken = True
        try:
            self._install(shipped, shipped.plan or self._planned(shipped.packaged, []))
        except SpecError as error:
            self._leave_out(shipped.packaged.name, error)
        except Exception as error:
            self._idle[shipped.packaged.name] = f"{type(error).__name__}: {error}"
            logger.exception(
                "the spec %s could not be installed. The program runs on without it.", shipped.packaged.name
            )
        finally:
            shipped.settled = True

    def _planned(self, packaged: Packaged, changes: list[Layers], new: Layers | None = None) -> Plan:
        """The plan of a packaged spec with the user's changes; a change that has a problem is reported and left out.

        Not so the ``new`` one among them: its problems are raised.
        """
        from instrument.prepare import plan_of
        from instrument.spec.load import read_packaged
        from instrument.spec.releases import installed, lay

        meant = installed(installed_version(packaged.distribution))
        document = lay(None, read_packaged(packaged.name), meant)
        plan = plan_of(document, content=self._settings.content)
        for layers in changes:
            try:
                changed = layers.onto(document, meant)
                plan = plan_of(changed, content=self._settings.content)
                document = changed
            except SpecError as error:
                if layers is new:
                    raise
                self._leave_out(layers.documents[-1].marks[()].file, error)
        return plan

    def _install(self, holder: _Entry | _Shipped, plan: Plan) -> None:
        """Put a plan to work, in the place of the one that its holder may have at work already."""
        target = plan.spec.target
        if target is not None and not self._in_range(target.name, target.version, target.mark):
            if holder.installation is not None:
                holder.installation.remove(CHANGED)
                holder.installation = None
        elif holder.installation is not None:
            holder.installation.change(plan)
        else:
            user = self._settings
            holder.installation = Installation(
                plan, user.tracer_provider, user.meter_provider, copies=user.copies, tallies=self._tallies()
            )
            holder.installation.install()

    # ── Specs that are saved while the program runs ──

    def _files(self) -> dict[str, Stamp]:
        files: dict[str, Stamp] = {}
        for entry in self._entries:
            for file, stamp in entry.files.items():
                files.setdefault(file, stamp)
        return files

    def _reread(self) -> None:
        """Take up each spec of which a file has changed; one with problems stays in effect as it was."""
        with self._changing:
            for entry in self._entries:
                if self._stopped or all(stamp_of(file) == stamp for file, stamp in entry.files.items()):
                    continue
                files: dict[str, Stamp] = {}
                try:
                    done = self._take_up(entry, files)
                except SpecError as error:
                    _report(error, f"{entry} stays in effect as it was" if entry.layers else "this spec is left out")
                    done, entry.kept = True, True
                except Exception:
                    logger.exception("%s could not be taken up anew. The program runs on.", entry)
                    done = True
                if done:
                    entry.files = {**{file: stamp_of(file) for file in entry.files}, **files}

    def _take_up(self, entry: _Entry, files: dict[str, Stamp]) -> bool:
        """Read a spec anew and put it to work; False where that has to wait for an import."""
        from instrument.prepare import read_spec

        layers = read_spec(self._listed(entry, files), files)
        if layers == entry.layers:
            if entry.kept:
                logger.warning("%s is in order again; it has been in effect all the time.", entry)
            entry.kept = False
            return True
        names = {layers.changes, entry.layers.changes if entry.layers else None}
        concerned = [shipped for shipped in self._shipped if shipped.packaged.name in names]
        if any(shipped.woken and not shipped.settled for shipped in concerned):
            return False
        plan = self._plan_of(layers) if layers.changes is None else None
        plans = [
            self._planned(
                shipped.packaged,
                [
                    each
                    for other in self._entries
                    if (each := layers if other is entry else other.layers) and each.changes == shipped.packaged.name
                ],
                layers,
            )
            for shipped in concerned
        ]
        if plan is not None:
            self._install(entry, plan)
        elif entry.installation is not None:
            entry.installation.remove(CHANGED)
            entry.installation = None
        for shipped, changed in zip(concerned, plans, strict=True):
            with self._waking:
                woken, shipped.plan = shipped.woken, changed
            if woken:
                self._install(shipped, changed)
        entry.layers, entry.kept = layers, False
        self._idle.pop(str(entry), None)
        logger.warning("%s has changed: it is in effect now.", entry)
        return True

    def _listed(self, entry: _Entry, files: dict[str, Stamp]) -> str | os.PathLike[str] | Document:
        """What is to be read anew of a spec: the file, from wherever the program is now, or what stands inline."""
        listed = entry.listed
        moved = _folder() != self._folder
        if isinstance(listed, (str, os.PathLike)):
            return os.path.join(self._folder, listed) if moved and listed not in OPTIONAL else listed
        if listed.text is not None:
            return listed
        from instrument.spec.source import part

        file = os.path.join(self._folder, listed.file) if moved else listed.file
        files[os.path.abspath(file)] = stamp_of(file)
        found = part(file, listed.way)
        if found is None:
            place = " ".join(f"{step}:" if isinstance(step, str) else f"[{step}]" for step in listed.way)
            problem = Problem(Mark(listed.file, 1, 1), "no-spec", f"there is no spec any longer under {place}")
            raise SpecError([problem])
        return found

    def _in_range(self, distribution: str, wanted: str, mark: Mark) -> bool:
        version = installed_version(distribution)
        if version is None:
            self._idle[mark.file] = f"{distribution} is not installed"
            logger.info("%s: %s is not installed; this spec is not needed.", mark, distribution)
            return False
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            inside = SpecifierSet(wanted).contains(version, prereleases=True)
        except InvalidSpecifier:
            self._leave_out(
                mark.file,
                SpecError(
                    [Problem(mark, "bad-version", f'"{wanted}" is no version specifier', 'write it as ">=1.0,<2"')]
                ),
            )
            return False
        if not inside:
            self._idle[mark.file] = f"{distribution} {version} is installed, and this spec is for {wanted}"
            logger.warning(
                "%s: %s %s is installed and this spec is for %s: nothing is traced by it.",
                mark,
                distribution,
                version,
                wanted,
            )
        return inside

    def _leave_out(self, name: str, error: SpecError) -> None:
        self._idle[name] = str(error)
        _report(error)

    # ── The report, where one is asked for ──

    def _reporting(self, where: str) -> Report:
        from instrument.report.writer import Report

        report = Report(where, self.status, self._settings.report_signal)
        report.start()
        return report

    def _tallies(self) -> Tallies | None:
        if self._report is None:
            return None
        from instrument.runtime.tally import Tallies

        return Tallies()

    def status(self) -> list[SpecStatus]:
        """The state of every spec: those at work, those that wait for their library, those left out."""
        from instrument.report.status import SpecStatus

        found = [installation.status for installation in list(self._installed)]
        for packaged in (shipped.packaged for shipped in self._shipped if not shipped.woken):
            why = f"{' or '.join(packaged.packages)} was not imported"
            found.append(SpecStatus(packaged.name, str(packaged.path), "waiting", why))
        return [
            *found,
            *(SpecStatus(os.path.basename(name), name, "left out", why) for name, why in dict(self._idle).items()),
        ]


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return ""


def _report(error: SpecError, otherwise: str = "this spec is left out") -> None:
    count = len(error.problems)
    logger.error("%s\n%d problem%s: %s; the program runs on.", error, count, "" if count == 1 else "s", otherwise)
