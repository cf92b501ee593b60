"""Where originals come from, read by one deadline and a byte limit. May import `errors` and `problems`."""
