"""Inspection of specs and libraries for the command line and the documentation. Traced processes do not load it."""
