"""The sections of what ``instrument view`` prints, in order."""

SECTIONS = ("summary", "failures", "open", "times", "story", "traces")
