"""Files and profiles that libvips must not be given. Imports no other room."""
