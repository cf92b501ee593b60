"""Files that must be refused before libvips sees them. Imports no other room."""
