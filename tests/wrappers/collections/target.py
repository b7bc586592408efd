def read(parts):
    return iter(parts)
