"""The search for the most expensive requests: it renders in real children, and measures their CPU time and memory."""
