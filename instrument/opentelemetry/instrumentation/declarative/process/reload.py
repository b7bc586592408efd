"""Reloads specs that are saved while the program runs. A spec with problems keeps the state that is in effect."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError
from opentelemetry.instrumentation.declarative.language.content_policy import ContentPolicy
from opentelemetry.instrumentation.declarative.language.shipped import OPT_IN_SPECS
from opentelemetry.instrumentation.declarative.language.text_file import FileStamp, file_stamp
from opentelemetry.instrumentation.declarative.plan.effective import (
    EffectiveSpec,
    effective_shipped_spec,
    effective_spec,
)
from opentelemetry.instrumentation.declarative.plan.validation import read_spec
from opentelemetry.instrumentation.declarative.process.specs import ListedSpec, ShippedSlot, SpecSlot
from opentelemetry.instrumentation.declarative.runtime.end_reasons import CHANGED

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.document import Document


class SpecReloader:
    """Reloads the listed specs.

    ``install`` installs a spec in its slot; ``leave_out`` reports a spec with problems, and the consequence;
    ``is_stopped`` returns whether the specs are no longer active.
    """

    def __init__(
        self,
        listed: Sequence[ListedSpec],
        shipped: Sequence[ShippedSlot],
        content: ContentPolicy,
        install: Callable[[SpecSlot, EffectiveSpec], None],
        leave_out: Callable[..., None],
        is_stopped: Callable[[], bool],
    ) -> None:
        self._listed = listed
        self._shipped = shipped
        self._content = content
        self._install = install
        self._leave_out = leave_out
        self._is_stopped = is_stopped
        #: Relative paths are relative to the working directory at the start of the program.
        self._folder = _working_directory()

    def files(self) -> dict[str, FileStamp]:
        """Each file that a spec was read from or looked for, with its stamp at that time."""
        files: dict[str, FileStamp] = {}
        for listed in self._listed:
            for file, stamp in listed.files.items():
                files.setdefault(file, stamp)
        return files

    def reload(self) -> None:
        """Reload each spec of which a file has changed."""
        for listed in self._listed:
            if self._is_stopped() or all(file_stamp(file) == stamp for file, stamp in listed.files.items()):
                continue
            files: dict[str, FileStamp] = {}
            try:
                reloaded = self._reload(listed, files)
            except SpecError as error:
                kept = f"{listed} stays in effect as it was" if listed.layers else "this spec is left out"
                self._leave_out(str(listed), error, kept)
                reloaded, listed.outdated = True, True
            except Exception:
                logger.exception("%s could not be reloaded. The program is not affected.", listed)
                reloaded = True
            if reloaded:
                listed.files = {**{file: file_stamp(file) for file in listed.files}, **files}

    def _reload(self, listed: ListedSpec, files: dict[str, FileStamp]) -> bool:
        """Read a spec again and install it. Returns False if that must wait for an import."""
        layers = read_spec(self._source(listed, files), files)
        if layers == listed.layers:
            if listed.outdated:
                logger.warning("%s is valid again. The version in effect has not changed.", listed)
            listed.outdated = False
            return True
        affected = [
            slot for slot in self._shipped if slot.shipped.name in {layers.extends_shipped, listed.extends_shipped}
        ]
        if any(slot.imported and not slot.settled for slot in affected):
            return False
        own = effective_spec(layers, self._content) if layers.extends_shipped is None else None
        all_layers = [layers if other is listed else other.layers for other in self._listed]
        shipped_specs = []
        for slot in affected:
            overlays = [each for each in all_layers if each and each.extends_shipped == slot.shipped.name]
            spec = effective_shipped_spec(slot.shipped, overlays, self._content)
            for left_out, error in spec.left_out:
                if left_out is layers:
                    raise error
                self._leave_out(left_out.documents[-1].marks[()].file, error)
            shipped_specs.append((slot, overlays, spec))
        if own is not None:
            self._install(listed, own)
        else:
            listed.uninstall(CHANGED)
        for slot, overlays, spec in shipped_specs:
            if slot.replace_overlays(overlays):
                self._install(slot, spec)
        listed.layers, listed.outdated = layers, False
        logger.warning("%s has changed and is now in effect.", listed)
        return True

    def _source(self, listed_spec: ListedSpec, files: dict[str, FileStamp]) -> str | os.PathLike[str] | Document:
        """The source to read a spec from again: its file, or the document that it is inline."""
        listed = listed_spec.listed
        moved = _working_directory() != self._folder
        if isinstance(listed, (str, os.PathLike)):
            return os.path.join(self._folder, listed) if moved and listed not in OPT_IN_SPECS else listed
        if listed.text is not None:
            return listed
        from opentelemetry.instrumentation.declarative.language.document import read_part

        file = os.path.join(self._folder, listed.file) if moved else listed.file
        files[os.path.abspath(file)] = file_stamp(file)
        found = read_part(file, listed.path_in_file)
        if found is None:
            path = " ".join(f"{step}:" if isinstance(step, str) else f"[{step}]" for step in listed.path_in_file)
            problem = Problem(Mark(listed.file, 1, 1), "no-spec", f"there is no longer a spec under {path}")
            raise SpecError([problem])
        return found


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return ""
