"""Which colors the samples of an original mean where it has no ICC profile, and their conversion to sRGB."""
