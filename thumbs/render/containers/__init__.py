"""The boxes and chunks that original files consist of, read within bounds. Imports no other room."""
