"""From a plan to patches: import hooks, targets, matching, and exact undo."""
