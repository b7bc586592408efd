"""``instrument explain``: what the active specs do, and what expressions can read. For the command line only."""
