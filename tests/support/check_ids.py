"""Ids of system checks that modules of tests besides tests/checks/test_config.py show."""

IDS = {
    *("thumbs.E020", "thumbs.E021", "thumbs.E022", "thumbs.E023", "thumbs.E024"),
    *("thumbs.E027", "thumbs.E028", "thumbs.E029", "thumbs.E038", "thumbs.E041"),
    *("thumbs.E042", "thumbs.E043", "thumbs.E045"),
    *("thumbs.W004", "thumbs.W005", "thumbs.W006", "thumbs.W007"),
    *("thumbs.E035", "thumbs.E036"),
    *("thumbs.E034", "thumbs.W020", "thumbs.W021", "thumbs.W022", "thumbs.W023", "thumbs.W024"),
    *("thumbs.W008", "thumbs.W009", "thumbs.W010", "thumbs.W011", "thumbs.W012"),
}
