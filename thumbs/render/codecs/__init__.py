"""What single formats need beside libvips, packages and metadata among it, and how each is written."""
