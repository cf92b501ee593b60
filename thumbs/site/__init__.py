"""What Django code calls. May import every room but `server`."""
