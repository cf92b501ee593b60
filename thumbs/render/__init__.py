"""One original in, one picture out; alone imports pyvips. May import `errors`, `image` and `render.bombs`."""
