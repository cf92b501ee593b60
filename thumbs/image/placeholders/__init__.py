"""ThumbHash: a blurred picture in 25 bytes, made of pixels and drawn from a hash. Imports nothing of Mage."""
