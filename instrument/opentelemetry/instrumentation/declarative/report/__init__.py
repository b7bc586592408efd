"""Reports what the rules of the active specs did, at the end of a process and on a signal."""
