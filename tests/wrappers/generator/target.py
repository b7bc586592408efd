def read(path):
    yield path
    return 1
