"""Imports on behalf of the commands: as in the user's program, and without output of the modules on standard output."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """A block that imports modules of the user.

    They are found in the current directory too, as under ``python -m``. Their output goes to standard error, even if
    it does not pass through ``sys.stdout``. Their warnings are not shown.
    """
    with _current_directory_on_path(), _stdout_to_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _current_directory_on_path() -> Iterator[None]:
    here = os.getcwd()
    if getattr(sys.flags, "safe_path", False) or here in sys.path or "" in sys.path:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # an imported module may have removed it
            sys.path.remove(here)


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    _flush()
    try:
        saved = os.dup(1)
    except OSError:  # standard output is closed
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _flush()
        os.dup2(saved, 1)
        os.close(saved)


def _flush() -> None:
    """Flush all streams, so that buffered output goes where it was printed to."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        if stream is not None:
            stream.flush()
