"""Following the result of a call that is unfinished when the call returns, such as a coroutine or a stream."""
