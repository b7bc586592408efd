"""Imports: what is called when a module is imported or reloaded, and loading what a spec names."""
