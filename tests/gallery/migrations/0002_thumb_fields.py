"""The tables of the models with our fields. They look the same with Django's image field."""

from django.db import migrations, models

import thumbs.fields


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="BareThumbPhoto",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("image", models.ImageField(blank=True, null=True, upload_to="")),
                ("placeholder", models.BinaryField(max_length=25, null=True)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="FocusedPhoto",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("placeholder", models.CharField(blank=True, default="", editable=False, max_length=36)),
                ("width", models.PositiveIntegerField(editable=False, null=True)),
                ("title", models.CharField(default="", max_length=100)),
                (
                    "image",
                    models.ImageField(blank=True, height_field="height", upload_to="focused", width_field="width"),
                ),
                ("height", models.PositiveIntegerField(editable=False, null=True)),
                ("focus", thumbs.fields.FocalPointField(blank=True, default="", max_length=20)),
                ("updated", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
    ]
