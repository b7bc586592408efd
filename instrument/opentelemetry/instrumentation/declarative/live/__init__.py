"""What is open in a process while it runs: for ``instrument status``, and for pending records of spans."""
