"""Renders in sandboxed child processes that can be killed. May import `errors`, `image` and `render`."""
