"""The rule for a JPEG with which libjpeg is not content: whether picture data is missing."""

from thumbs.render.completeness.coding import TooLong, has_short_interval, short_scans
from thumbs.render.completeness.segments import PROGRESSIVE, Jpeg, Scan, Unreadable


def is_cut_off(data: bytes, jpeg: Jpeg) -> bool | None:
    """Whether data is missing that a pixel needs, or the last scan is short. `jpeg` is the structure of `data`.

    The first scan of each coefficient gives pixels a value: sequential scans, and the DC scans of a progressive JPEG.
    A short scan of details in the middle makes only these details coarser, as browsers show it. Whatever else libjpeg
    warns of is no missing data. None where the codes cannot be followed within `MAX_JPEG_STEPS`.
    """
    try:
        if jpeg.is_single_scan and jpeg.scans[0].interval:
            return has_short_interval(data, jpeg, jpeg.scans[0])
        return any(scan is jpeg.scans[-1] or _gives_first_values(jpeg, scan) for scan in short_scans(data, jpeg))
    except TooLong:
        return None
    except Unreadable:
        return True


def _gives_first_values(jpeg: Jpeg, scan: Scan) -> bool:
    return jpeg.frame not in PROGRESSIVE or (scan.first == 0 and scan.high == 0)


def ends_early(jpeg: Jpeg) -> bool:
    """Whether the file has no end marker, and scans are missing that would complete the picture."""
    return not jpeg.ended and jpeg.lacks_scans
