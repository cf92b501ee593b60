"""`path("img/", include("thumbs.urls"))`: thumbnails below any prefix of a site."""

from typing import Any

from django.urls import URLPattern, re_path
from django.urls.resolvers import RegexPattern

from thumbs.front import PATTERN, Mount
from thumbs.views import thumbnail, translated
from thumbs.wiring.process import routes

app_name = "thumbs"


class DialectPattern(RegexPattern):
    """Matches the paths of the dialects, which the configuration names when a request comes."""

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        """The dialect that `path` belongs to: all that is below the include, without its first slash."""
        known = routes()
        below = b"/" + path.encode("utf-8", "surrogatepass")
        found = None if not known.paths or known.is_own(Mount().find(below)) else known.find(below)
        return None if found is None else ("", (), {"path": path, "dialect": found})


urlpatterns = [
    URLPattern(DialectPattern(r".*"), translated, name="translated"),
    re_path(PATTERN, thumbnail, name="thumbnail"),
]
