"""The specs of this process: which are active, and when each is put to work."""

from __future__ import annotations

import functools
import importlib
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from instrument.imports import when_imported
from instrument.installation import Installation
from instrument.log import logger
from instrument.problems import Mark, Problem, SpecError
from instrument.resources import directory
from instrument.runtime.forks import forget_in_children
from instrument.settings import Settings
from instrument.spec.packaged import PACKAGED, Packaged, installed_version

if TYPE_CHECKING:
    from instrument.plan.model import Plan
    from instrument.spec.load import Layers


class Active:
    """The specs of this process. Those of a library that is never imported are never read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._installed: list[Installation] = []
        self._waits: list[Callable[[], None]] = []
        self._woken: set[Packaged] = set()
        #: What ships and has been listed or changed, with the first place that says so.
        self._asked_for: dict[Packaged, Mark] = {}
        self._waking = threading.Lock()
        forget_in_children(self)
        self._stopped = False

    def forget(self) -> None:
        """In a child process: who held the lock is not there."""
        self._waking = threading.Lock()

    def start(self) -> None:
        changes: dict[str, list[Layers]] = {}
        for file in self._settings.specs:
            try:
                self._add(file, changes)
            except SpecError as error:
                _report(error)
            except Exception:
                logger.exception("%s could not be installed. The program runs on without it.", file)
        for packaged in PACKAGED:
            shipped = self._settings.shipped
            if packaged.name in changes:
                self._asked_for[packaged] = changes[packaged.name][0].documents[-1].marks[()]
            elif shipped is not None and packaged.name not in shipped:
                continue
            elif shipped is not None:
                self._asked_for[packaged] = Mark(str(packaged.path), 1, 1)
            if not installed_version(packaged.distribution):
                for layers in changes.get(packaged.name, ()):
                    mark = layers.documents[-1].marks[()]
                    logger.warning(
                        "%s: this spec changes %s, which is not installed.", mark.file, packaged.distribution
                    )
                continue
            planned = self._planned(packaged, changes[packaged.name]) if packaged.name in changes else None
            for package in packaged.packages:
                self._waits.append(when_imported(package, functools.partial(self._wake, packaged, planned)))

    def _add(self, file: str | os.PathLike[str], changes: dict[str, list[Layers]]) -> None:
        """Install a spec of the user's; one that changes a packaged spec is kept for when that is planned."""
        # Imported when there is something to read: a process that reads no spec has no need of YAML.
        from instrument.prepare import plan_of, read_spec
        from instrument.spec.releases import installed, no_release

        layers = read_spec(file)
        if layers.changes is None:
            target = layers.onto(None, no_release).data.get("target") or {}
            meant = installed(installed_version(target["distribution"]) if target else None)
            self._install(plan_of(layers.onto(None, meant), content=self._settings.content))
        else:
            changes.setdefault(layers.changes, []).append(layers)

    def stop(self) -> None:
        self._stopped = True
        for stop_waiting in self._waits:
            stop_waiting()
        self._waits.clear()
        for installation in reversed(self._installed):
            installation.remove()
        self._installed.clear()

    def import_all(self) -> None:
        """Import every module that a spec waits for."""
        for installation in self._installed:
            for module in installation.modules:
                importlib.import_module(module)

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
        found = {
            packaged.packages[0]: mark for packaged, mark in self._asked_for.items() if packaged not in self._woken
        }
        for installation in self._installed:
            for module, mark in installation.waiting:
                if os.path.dirname(mark.file) != str(directory("configs")):
                    found.setdefault(module, mark)
        return found

    @property
    def sources(self) -> dict[str, str]:
        return {name: source for installation in self._installed for name, source in installation.sources.items()}

    def _wake(self, packaged: Packaged, planned: Plan | None) -> None:
        """The library of a packaged spec has been imported."""
        with self._waking:  # two threads may import two of its packages at once
            if self._stopped or packaged in self._woken:
                return
            self._woken.add(packaged)
        try:
            self._install(planned or self._planned(packaged, []))
        except SpecError as error:
            _report(error)
        except Exception:
            logger.exception("the spec %s could not be installed. The program runs on without it.", packaged.name)

    def _planned(self, packaged: Packaged, changes: list[Layers]) -> Plan:
        """The plan of a packaged spec with the user's changes; a change that has a problem is reported and left out."""
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
                _report(error)
        return plan

    def _install(self, plan: Plan) -> None:
        target = plan.spec.target
        if target is not None and not self._in_range(target.name, target.version, target.mark):
            return
        user = self._settings
        installation = Installation(plan, user.tracer_provider, user.meter_provider, copies=user.copies)
        self._installed.append(installation)
        installation.install()

    def _in_range(self, distribution: str, wanted: str, mark: Mark) -> bool:
        version = installed_version(distribution)
        if version is None:
            logger.info("%s: %s is not installed; this spec is not needed.", mark, distribution)
            return False
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            inside = SpecifierSet(wanted).contains(version, prereleases=True)
        except InvalidSpecifier:
            _report(
                SpecError(
                    [Problem(mark, "bad-version", f'"{wanted}" is no version specifier', 'write it as ">=1.0,<2"')]
                )
            )
            return False
        if not inside:
            logger.warning(
                "%s: %s %s is installed and this spec is for %s: nothing is traced by it.",
                mark,
                distribution,
                version,
                wanted,
            )
        return inside


def _report(error: SpecError) -> None:
    count = len(error.problems)
    logger.error(
        "%s\n%d problem%s: this spec is left out; the program runs on.", error, count, "" if count == 1 else "s"
    )
