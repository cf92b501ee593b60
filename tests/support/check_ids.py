"""Ids of system checks, for the test that looks for all of them."""

IDS = {
    *("thumbs.E020", "thumbs.W004", "thumbs.W005", "thumbs.W006", "thumbs.W007"),
    *("thumbs.E027", "thumbs.E028", "thumbs.E029"),
}
