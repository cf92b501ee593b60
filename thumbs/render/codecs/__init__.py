"""What single formats need beside libvips: packages, parts of their files, metadata."""
