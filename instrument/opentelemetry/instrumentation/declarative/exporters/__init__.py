"""Span exporters that the SDK loads by name."""
