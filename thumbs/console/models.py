"""A model without a table: it gives the console its place in the admin, its permission, and its entries in the log."""

from django.db import models


class NoRows(models.Manager["Cache"]):
    """No query reaches the database: `dumpdata` goes through every model."""

    def get_queryset(self) -> models.QuerySet["Cache"]:
        return super().get_queryset().none()


class Cache(models.Model):
    """The cache of the storage `name`."""

    name = models.CharField(max_length=255, primary_key=True)

    objects = NoRows()

    class Meta:
        managed = False
        base_manager_name = "objects"
        default_permissions = ()
        permissions = (("manage_caches", "Can manage thumbnail caches"),)
        verbose_name = "thumbnail cache"
        verbose_name_plural = "thumbnail caches"

    def __str__(self) -> str:
        return self.name
