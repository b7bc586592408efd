"""The modules that can be imported here and the distributions that provide them, read again if a folder changes."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping, Sequence

#: The entries of sys.path, each with the time when the folder was last modified, as by an installation.
_Folders = tuple[tuple[str, int | None], ...]


def distributions_by_package() -> Mapping[str, Sequence[str]]:
    """Return the distributions that provide each package or module at top level."""
    return _distributions(_folders())


def importable_modules() -> Sequence[str]:
    """Return the names of the packages and modules at top level that are found on sys.path."""
    return _modules(_folders())


def _folders() -> _Folders:
    return tuple((path, _modified(path)) for path in sys.path)


def _modified(path: str) -> int | None:
    try:
        return os.stat(path or ".").st_mtime_ns
    except OSError:
        return None


# This opens files of every distribution, which takes about 100 ms, and a spec may have many targets that are missing.
@functools.lru_cache(maxsize=1)
def _distributions(_: _Folders) -> Mapping[str, Sequence[str]]:
    from importlib import metadata

    return metadata.packages_distributions()


@functools.lru_cache(maxsize=1)
def _modules(_: _Folders) -> Sequence[str]:
    from pkgutil import iter_modules

    return [each.name for each in iter_modules()]
