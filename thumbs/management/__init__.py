"""Django's management commands and what they share. May import every room."""
