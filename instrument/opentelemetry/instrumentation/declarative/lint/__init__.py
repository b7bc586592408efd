"""The checks that only ``instrument check`` runs: of a spec on its own, and against the installed libraries."""
