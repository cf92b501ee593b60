"""What the tags of a TIFF say of its samples, and the samples as colors. `tags` and `samples` import no pyvips."""
