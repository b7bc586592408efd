"""A shop that two tools trace in one process."""
