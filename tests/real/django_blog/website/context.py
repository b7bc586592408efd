def site(request):
    return {"site": "a blog"}
