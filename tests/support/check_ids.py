"""Ids of system checks, for the test that looks for all of them."""

IDS = {"thumbs.W004", "thumbs.W005", "thumbs.W006"}
