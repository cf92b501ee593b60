"""Inputs of forms: previews of files, and a focal point to click on."""
