from django import forms

from blog.models import Post


class PostForm(forms.ModelForm):
    class Meta:
        model = Post
        fields = ("title", "body", "author")

    def clean_title(self):
        return self.cleaned_data["title"].strip()
