def retry(attempt, /, *, delay=0.1):
    return attempt
