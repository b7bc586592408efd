"""Real programs, started as their users start them, with the spans that their authors expect."""
