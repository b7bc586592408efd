from django.core.management.base import BaseCommand

from blog.models import Post


class Command(BaseCommand):
    help = "Publish a post."

    def add_arguments(self, parser):
        parser.add_argument("number", type=int)

    def handle(self, *args, **options):
        post = Post.objects.get(pk=options["number"])
        post.publish()
        self.stdout.write(f"published {post.title}")
