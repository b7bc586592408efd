"""Renders frames in several processes."""
