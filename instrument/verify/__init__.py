"""A spec against the libraries that are installed beside it; importing these runs their code."""

from instrument.verify.verification import Verification

__all__ = ["Verification"]
