"""The disk store: one file per entry, under a cap that all processes keep together. Imports no other room."""
