"""What YAML cannot express about AG2: functions that its spec names, and its file of spans."""
