"""A Django site with photos: models with migrations, an admin, and pages in both template languages."""
