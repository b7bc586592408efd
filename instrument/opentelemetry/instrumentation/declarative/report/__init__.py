"""What the rules of the active specs really did: told at the end of a process and on a signal."""
