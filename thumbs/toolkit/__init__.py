"""The Django toolkit: what templates, models, forms and Python code of a site use. It computes, and asks no storage."""
