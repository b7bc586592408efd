"""What the specs that are active here do, in words; and what can be read at a callable. For the command line only."""
