"""How commands import what specs name: as a program of the user's would, and without a word on their own output."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """A block that imports modules of the user's.

    They are found in the current directory too, as under ``python -m``. What they print goes to stderr, also where it
    does not pass Python's own stream; what they warn of is not ours to show.
    """
    with _current_directory(), _to_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _current_directory() -> Iterator[None]:
    here = os.getcwd()
    if getattr(sys.flags, "safe_path", False) or here in sys.path or "" in sys.path:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # a module may have taken it out
            sys.path.remove(here)


@contextlib.contextmanager
def _to_stderr() -> Iterator[None]:
    _flush()
    try:
        kept = os.dup(1)
    except OSError:  # nothing is connected to it
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    """What has been printed so far goes where it was meant to go."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        if stream is not None:
            stream.flush()
