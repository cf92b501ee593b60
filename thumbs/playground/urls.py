"""`path("thumbs/", include("thumbs.playground.urls"))`: the pages in a site, for its staff only."""

from thumbs.playground.access import for_staff
from thumbs.playground.routes import patterns

app_name = "thumbs_playground"

urlpatterns = patterns(for_staff)
