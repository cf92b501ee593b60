"""The boxes that original files consist of, read within bounds. Imports no other room."""
