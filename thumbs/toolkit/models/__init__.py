"""Fields and descriptors of models, and the purges that follow their files."""
