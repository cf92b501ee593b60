"""The pages of the standalone server, for this machine or for clients with the token."""

from thumbs.playground.access import for_clients
from thumbs.playground.routes import patterns

app_name = "thumbs_playground"

urlpatterns = patterns(for_clients)
