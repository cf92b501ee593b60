"""`focus_of`: the focal point of a wagtail image for the option `gravity`. It imports nothing of wagtail."""


def focus_of(image: object) -> str:
    """The center of wagtail's focal point as fractions of the width and height, `0.31,0.62`; an empty text without one.

    Reads `focal_point_x`, `focal_point_y`, `focal_point_width`, `focal_point_height`, `width` and `height`, all in
    pixels (wagtail's `AbstractImage`). A point outside the picture is moved to its edge.
    """
    names = ("focal_point_x", "focal_point_y", "focal_point_width", "focal_point_height", "width", "height")
    x, y, focus_width, focus_height, width, height = (getattr(image, name, None) for name in names)
    # wagtail has a focal point only where all four are set (`AbstractImage.get_focal_point`).
    if x is None or y is None or focus_width is None or focus_height is None or not width or not height:
        return ""
    return f"{_fraction(x, width)},{_fraction(y, height)}"


def _fraction(part: float, whole: float) -> str:
    return f"{min(max(part / whole, 0), 1):.4f}".rstrip("0").rstrip(".")
