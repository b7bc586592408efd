"""Middleware in the forms that Django has."""

from asgiref.sync import iscoroutinefunction
from django.db import connection
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin


class CountQueries:
    """Adds the number of queries to a response."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        counter = Counter()
        with connection.execute_wrapper(counter):
            response = self.get_response(request)
        response["x-queries"] = str(counter.count)
        return response


class Counter:
    def __init__(self):
        self.count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)


class AddVersion(MiddlewareMixin):
    def process_request(self, request):
        request.version = "1"

    def process_view(self, request, view, args, kwargs):
        request.view = view.__name__

    def process_response(self, request, response):
        response["x-version"] = request.version
        return response

    def process_exception(self, request, error):
        return None


@sync_and_async_middleware
def add_language(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return set_language(await get_response(request))

    else:

        def middleware(request):
            return set_language(get_response(request))

    return middleware


def set_language(response):
    response["content-language"] = "en"
    return response
