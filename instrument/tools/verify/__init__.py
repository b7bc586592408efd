"""A spec against the libraries that are installed beside it; importing these runs their code."""

from instrument.tools.verify.verification import Verification

__all__ = ["Verification"]
