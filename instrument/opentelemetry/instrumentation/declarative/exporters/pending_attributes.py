"""The attributes of pending records, the records of spans that are still open."""

#: The name of the open span, its start as the time in UTC, and its age in seconds.
NAME = "instrument.pending.name"
START = "instrument.pending.start"
AGE = "instrument.pending.age"
#: The id of the parent of the open span, if it has one.
PARENT = "instrument.pending.parent"
