"""The boxes and blocks that original files consist of, read within bounds. Imports no other room."""
