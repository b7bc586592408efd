from django.test import TestCase

from blog.models import Author, Post


class PageTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        author = Author.objects.create(name="Ann")
        cls.post = Post.objects.create(title="First", body="one two", published=True, author=author)

    def test_titles(self):
        response = self.client.get("/posts/titles/", headers={"x-reader": "bob"})
        self.assertContains(response, "First")

    def test_queries(self):
        with self.assertNumQueries(1):
            self.client.get(f"/posts/read/{self.post.pk}/")
