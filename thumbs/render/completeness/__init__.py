"""Whether the picture data of an original is complete, and how an incomplete original is decoded."""
