"""What the spec of OpenAI's client needs beyond YAML: the bodies of raw responses, and messages."""
