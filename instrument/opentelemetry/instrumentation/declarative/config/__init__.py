"""The settings of a process: arguments in Python, flags of ``instrument run``, configuration file, and environment."""
