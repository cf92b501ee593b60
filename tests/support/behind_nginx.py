"""What the tests of the deployment have in common."""

PICTURE = "thumbs/90x60/quarters.jpg"
MEMORY = {"memory": {"enabled": True, "max_size_mb": 32}}
