"""All mistakes of a URL, or of a spec and options, each with its place. May import `request` and what that may."""
