"""The subcommands of ``instrument``, one a file: its words, its arguments, what it does and its exit code."""
