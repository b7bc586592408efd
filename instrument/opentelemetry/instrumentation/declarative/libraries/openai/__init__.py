"""The functions of the spec of OpenAI's client: the bodies of raw responses, and messages."""
