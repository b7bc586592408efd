"""AG2: the functions that its spec names, and the sink that writes its file of spans."""
