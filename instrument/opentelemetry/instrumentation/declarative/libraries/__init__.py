"""The little about a library that YAML cannot say, one file a library; named by specs under `functions`."""
