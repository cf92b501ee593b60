"""Templates and Python code as texts that are edited in place: positions, values, options. Knows no package by name."""
