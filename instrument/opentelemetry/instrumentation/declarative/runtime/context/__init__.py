"""Trace context: what is current, what carriers hold, and whether a call is caused by our own reading."""
