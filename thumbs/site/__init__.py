"""The functions that the code of a Django site calls. May import every room except `server`."""
