from django import template

from blog.models import Post

register = template.Library()


@register.filter
def louder(value):
    return value.upper()


@register.simple_tag(takes_context=True)
def count_posts(context):
    return Post.objects.count()


@register.inclusion_tag("blog/author.html")
def show_author(post):
    return {"name": post.author.name}
