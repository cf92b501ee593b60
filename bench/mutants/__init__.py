"""The mutation run: makes one fault at a time in the code, and runs the fast tests on it."""
