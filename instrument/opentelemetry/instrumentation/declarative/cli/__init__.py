"""The command ``instrument``. Each subcommand is a module with its arguments, its action and its exit code."""
