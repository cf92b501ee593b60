"""Paths of remote originals that name no URL, and spellings of loopback."""

# Paths that name no URL, because they have two readings or leave the prefix.
UNNAMED = (
    *("https", "https/", "https/img.example.com", "img.example.com/a.jpg", "ftp/img.example.com/a.jpg"),
    *("HTTPS/img.example.com/a.jpg", "file/etc/passwd", "data/x/y", "gopher/img.example.com/a"),
    *("https/user@img.example.com/a.jpg", "https/user:secret@img.example.com/a.jpg"),
    *("https/img.example.com:0/a.jpg", "https/img.example.com:94200/a.jpg", "https/img.example.com:080/a.jpg"),
    *("https/img.example.com:/a.jpg", "https/img.example.com:80:81/a.jpg", "https/img.example.com:8a/a.jpg"),
    *("https/img.example.com:-1/a.jpg", "https/img.example.com:+80/a.jpg", "https/img.example.com:８０/a.jpg"),
    *("https//a.jpg", "https/./a.jpg", "https/../a.jpg", "https/img..example.com/a.jpg", "https/.example.com/a"),
    *("https/img.example.com../a.jpg", "https/%69mg.example.com/a.jpg", "https/img%2eexample.com/a.jpg"),
    *("https/img.example.com%00/a.jpg", "https/img example.com/a.jpg", "https/img\u00ad.example.com/a.jpg"),
    *("https/ｉｍｇ.example.com/a.jpg", "https/münchen.de/a.jpg", "https/img。example.com/a.jpg"),
    *("https/xn--a.example.com/a.jpg", "https/xn--.example.com/a.jpg", f"https/{'a' * 64}.com/a.jpg"),
    *(f"https/{'a.' * 127}com/a.jpg", "https/[::1]/a.jpg", "https/[fe80::1%25eth0]/a.jpg", "https/::1/a.jpg"),
    *("https/img.example.com/a#b", "https/img.example.com/a\\b", "https/img.example.com/a\tb"),
    *("https/img.example.com/a\r\nb", "https/img.example.com/a\0b", "https/img.example.com/a\x7fb"),
    *("https/img.example.com/a%b.jpg", "https/img.example.com/a%", "https/img.example.com/a%4"),
    *("https/img.example.com/a/../b", "https/img.example.com/a/./b", "https/img.example.com/.."),
    *("https/img.example.com/a/%2e%2e/b", "https/img.example.com/a/.%2E/b", "https/img.example.com/a/%2e/b"),
    *("https/img.example.com/a/%252e%252e/b", "https/img.example.com/a%2f..%2fb", "https/img.example.com/a%2F%2e%2e"),
    *("https/img.example.com/a/..;x/b", "https/img.example.com/a%5c..%5cb", "https/img.example.com/a%5Cb"),
    *("https/img.example.com/a%00b", "https/img.example.com/a%0d%0ab", "https/img.example.com/\ud800"),
)
# Spellings of 127.0.0.1 and ::1 that some parser reads.
LOOPBACK = (
    *("2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.01"),
    *("127.0.0.1.1", "0x7f.0.0.1", "127.0x0.0.1", "①②⑦.0.0.1", "127。0。0。1", "127.0.0.256", "0", "00.0.0.0"),
    *("[::1]", "[::ffff:127.0.0.1]", "::1", "0x", "1.0x", "127.0.0.1e0x", "99999999999"),
)
