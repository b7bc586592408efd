"""Posts, who has written them, and what readers say."""

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.functional import cached_property


def no_shouting(value):
    if value.isupper():
        raise ValidationError("do not shout")


class PostQuerySet(models.QuerySet):
    def published(self):
        return self.filter(published=True)


class CommentManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(hidden=False)

    def write(self, post, text):
        return self.create(post=post, text=text)


class Author(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Post(models.Model):
    title = models.CharField(max_length=100, validators=[no_shouting])
    body = models.TextField(default="")
    published = models.BooleanField(default=False)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.title} by {self.author}"

    def clean(self):
        if self.title == self.body:
            raise ValidationError("there is nothing in it")

    def save(self, *args, **kwargs):
        self.full_clean()
        super().save(*args, **kwargs)

    def publish(self):
        self.published = True
        self.save()

    def get_absolute_url(self):
        return reverse("post", args=[self.pk])

    @property
    def word_count(self):
        return len(self.body.split())

    @cached_property
    def summary(self):
        return self.body[:10]


class Comment(models.Model):
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField()
    hidden = models.BooleanField(default=False)

    objects = CommentManager()
