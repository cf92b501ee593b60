"""A photo."""

from django.db import models


class Photo(models.Model):
    image = models.ImageField(upload_to="photos")

    def __str__(self) -> str:
        return str(self.image)
