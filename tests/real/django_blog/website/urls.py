from django.urls import include, path

from website.views import health

urlpatterns = [path("posts/", include("blog.urls")), path("health/", health)]
