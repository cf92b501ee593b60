"""The composition root: puts the concrete classes together. May import every room below the fronts."""
