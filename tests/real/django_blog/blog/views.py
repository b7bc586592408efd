"""Views of posts: functions, classes, and an asynchronous one."""

from functools import wraps

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from django.views.generic import CreateView, DetailView, ListView

from blog.forms import PostForm
from blog.models import Comment, Post
from blog.signals import commented


def readers_only(view):
    @wraps(view)
    def checked(request, *args, **kwargs):
        if "x-reader" not in request.headers:
            return HttpResponse("who are you?", status=401)
        return view(request, *args, **kwargs)

    return checked


@require_GET
@readers_only
def list_titles(request):
    return JsonResponse({"titles": [post.title for post in Post.objects.published()]})


@csrf_exempt
def comment(request, number):
    post = get_object_or_404(Post.objects.only("title"), pk=number)
    written = Comment.objects.write(post, request.POST["text"])
    ((_, thanks),) = commented.send(Post, comment=written)
    return HttpResponse(thanks, status=201)


def read_post(request, number):
    post = get_object_or_404(Post.objects.select_related("author"), pk=number)
    return HttpResponse(describe(post))


def describe(post):
    return f"{post.title}: {post.word_count} words"


def export(request):
    return StreamingHttpResponse(export_lines(Post.objects.all()), content_type="text/plain")


def export_lines(posts):
    for post in posts:
        yield f"{post.title}\n"


def crash(request):
    raise ValueError("crash")


async def count_later(request):
    return JsonResponse({"count": await count_posts()})


async def count_posts():
    return await Post.objects.published().acount()


class PostList(ListView):
    model = Post
    template_name = "blog/list.html"

    def get_queryset(self):
        return super().get_queryset().published()

    def get_context_data(self, **kwargs):
        return super().get_context_data(page="list", **kwargs)


class PostPage(DetailView):
    queryset = Post.objects.select_related("author")
    template_name = "blog/post.html"


@method_decorator(csrf_exempt, name="dispatch")
class NewPost(CreateView):
    form_class = PostForm
    template_name = "blog/form.html"

    def form_valid(self, form):
        return super().form_valid(form)

    def form_invalid(self, form):
        return JsonResponse(form.errors, status=422)


class Retired(View):
    http_method_names = ("get",)

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.reason = "retired"

    def get(self, request):
        return render(request, "blog/list.html", {"page": self.reason}, status=410)
