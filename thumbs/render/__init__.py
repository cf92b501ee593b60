"""Pixels: the one package that imports libvips."""
