"""The table of peers, by the name that `thumb_migrate --from` takes."""

from thumbs.toolkit.migration import easy, imagekit, pictures, python_calls, sorl, spec_fields, versatile, wagtail
from thumbs.toolkit.migration.editing.peer import Peer

PEERS = {
    "sorl": Peer(
        *("sorl-thumbnail", "sorl.thumbnail"),
        *(sorl.LIBRARIES, sorl.TAGS, sorl.FILTERS),
        *(sorl.convert, python_calls.sorl_calls),
    ),
    "easy": Peer(
        *("easy-thumbnails", "easy_thumbnails"),
        *(easy.LIBRARIES, easy.TAGS, easy.FILTERS),
        *(easy.convert, python_calls.easy_calls),
    ),
    "imagekit": Peer(
        *("django-imagekit", "imagekit"),
        *(imagekit.LIBRARIES, imagekit.TAGS, imagekit.FILTERS),
        *(imagekit.convert, spec_fields.convert),
    ),
    "pictures": Peer(
        *("django-pictures", "pictures"),
        *(pictures.LIBRARIES, pictures.TAGS, pictures.FILTERS),
        *(pictures.convert, python_calls.pictures_calls),
    ),
    "versatile": Peer(
        *("django-versatileimagefield", "versatileimagefield"),
        *(versatile.LIBRARIES, versatile.TAGS, versatile.FILTERS),
        *(versatile.convert, python_calls.versatile_calls),
    ),
    "wagtail": Peer(
        *("wagtail", "wagtail.images"),
        *(wagtail.LIBRARIES, wagtail.TAGS, wagtail.FILTERS),
        *(wagtail.convert, python_calls.wagtail_calls),
    ),
}
