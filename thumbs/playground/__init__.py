"""Pages to try thumbnails on: every filter as a control, the picture beside its original, the URL to copy."""
