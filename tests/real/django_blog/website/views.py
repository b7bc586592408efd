from django.http import HttpResponse


def health(request):
    return HttpResponse("well")


async def later(request):
    return HttpResponse("later")
