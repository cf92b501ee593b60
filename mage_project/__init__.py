"""The standalone server: a Django project around the `thumbs` app."""
