"""What libheif decodes otherwise than browsers do: it is rewritten before, or corrected after it has decoded."""
