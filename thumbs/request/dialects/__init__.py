"""The URLs of other image servers: each module reads one of their grammars into the request values of our own."""
