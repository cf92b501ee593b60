"""Resampling by exact factors and positions."""
