def shorten(text: str, length: int = 5) -> str:
    return text[:length]
