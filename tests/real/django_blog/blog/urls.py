from django.urls import path, re_path

from blog import views

urlpatterns = [
    path("", views.PostList.as_view()),
    path("titles/", views.list_titles),
    path("new/", views.NewPost.as_view()),
    path("<int:pk>/", views.PostPage.as_view(), name="post"),
    path("<int:number>/comment/", views.comment),
    re_path(r"^read/(?P<number>\d+)/$", views.read_post),
    path("export/", views.export),
    path("crash/", views.crash),
    path("count/", views.count_later),
    path("retired/", views.Retired.as_view()),
]
