"""What only the command line and the documents need: nothing of it is loaded in a traced process."""
