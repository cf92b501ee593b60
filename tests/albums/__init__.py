"""Albums with slides, as an app beside the gallery: an admin and an API with thumbnails."""
