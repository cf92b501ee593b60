"""One original in, one picture out; the only room that imports pyvips. May import `errors`, `image`, `render.bombs`."""
