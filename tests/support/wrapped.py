"""The site of `tests.support.site` behind the two fronts, which answer under the same prefix before the site does."""

from tests.support.site import application as site_application
from tests.support.site import asgi_application as asgi_site_application
from thumbs.asgi import ThumbsASGI
from thumbs.wsgi import ThumbsWSGI

application = ThumbsWSGI(site_application, prefix="/img/")
asgi_application = ThumbsASGI(asgi_site_application, prefix="/img/")  # type: ignore[arg-type]  # Django's is typed narrower
