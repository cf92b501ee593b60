"""The composition root: the only room that names concrete classes. May import every room below the fronts."""
