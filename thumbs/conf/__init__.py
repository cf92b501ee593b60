"""Configuration: read once, checked whole, never guessed at while serving."""
