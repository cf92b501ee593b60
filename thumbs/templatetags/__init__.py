"""`{% load thumbs %}`. May import `site`."""
