"""What can go wrong with one answer of an object store: a function for each fault, by the name that selects it."""

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

DRIP_SECONDS = 0.02
SLOW_SECONDS = 2.0
HUGE = 300 << 20
_ENTITY_TAG = '"0123456789abcdef"'
_LAST_MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
_MAX_DRIPS = 5_000


@dataclass(frozen=True)
class Exchange:
    """One request and the connection to answer it on. `stop` is set when the store closes."""

    wire: socket.socket
    method: str
    target: str
    body: bytes
    stop: threading.Event
    ordinal: int

    def send_head(self, status: str, *headers: str, length: int | None = None) -> None:
        lines = [f"HTTP/1.1 {status}", f"ETag: {_ENTITY_TAG}", f"Last-Modified: {_LAST_MODIFIED}", *headers]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        self.wire.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))

    def send_good(self) -> None:
        self.send_head("200 OK", length=0 if self.method == "PUT" else len(self.body))
        if self.method == "GET":
            self.wire.sendall(self.body)

    def explain(self, status: str, code: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>bucket, endpoint and all</Message></Error>".encode()
        self.send_head(status, "Content-Type: application/xml", length=len(text))
        if self.method == "GET":
            self.wire.sendall(text)

    def drip(self, data: bytes) -> None:
        for byte in data[:_MAX_DRIPS]:
            self.wire.sendall(bytes([byte]))
            if self.stop.wait(DRIP_SECONDS):
                return

    def flood(self, length: int) -> None:
        block = bytes(1 << 16)
        for _ in range(length // len(block)):
            if self.stop.is_set():
                return
            self.wire.sendall(block)

    def hang(self) -> None:
        """Do nothing until the other side leaves."""
        self.wire.recv(1)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# A fault returns whether the connection goes on.
Fault = Callable[[Exchange], bool]


def good(exchange: Exchange) -> bool:
    exchange.send_good()
    return True


def closes_in_silence(exchange: Exchange) -> bool:
    """A good answer, and then an end of which the headers said nothing."""
    exchange.send_good()
    return False


def too_long(exchange: Exchange) -> bool:
    """A good answer, and soon after it one that was not requested."""
    exchange.send_good()
    exchange.stop.wait(DRIP_SECONDS)
    exchange.send_head("200 OK", length=4)
    exchange.wire.sendall(b"evil")
    return True


def unavailable(exchange: Exchange) -> bool:
    exchange.explain("503 Slow Down", "SlowDown")
    return True


def hang(exchange: Exchange) -> bool:
    exchange.hang()
    return False


def hang_in_body(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", length=len(exchange.body))
    exchange.wire.sendall(exchange.body[: len(exchange.body) // 2])
    exchange.hang()
    return False


def drip(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", length=len(exchange.body))
    exchange.drip(exchange.body)
    return False


def drip_headers(exchange: Exchange) -> bool:
    exchange.wire.sendall(b"HTTP/1.1 200 OK\r\n")
    exchange.drip(b"X-Patience: 1\r\n" * 1000)
    return False


def drip_continues(exchange: Exchange) -> bool:
    for _ in range(_MAX_DRIPS):
        exchange.wire.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if exchange.stop.wait(DRIP_SECONDS):
            break
    return False


def drip_explanation(exchange: Exchange) -> bool:
    exchange.send_head("503 Slow Down", length=len(exchange.body))
    exchange.drip(exchange.body)
    return False


def encoded(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", "Content-Encoding: gzip", length=len(exchange.body))
    exchange.wire.sendall(exchange.body)
    return True


def late_body(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", length=len(exchange.body))
    exchange.stop.wait(25 * DRIP_SECONDS)
    exchange.wire.sendall(exchange.body)
    return True


def slow(exchange: Exchange) -> bool:
    exchange.stop.wait(SLOW_SECONDS)
    return good(exchange)


def short(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", length=len(exchange.body))
    exchange.wire.sendall(exchange.body[:-1])
    return False


def reset(exchange: Exchange) -> bool:
    exchange.reset()
    return False


def moved(exchange: Exchange) -> bool:
    exchange.send_head("307 Temporary Redirect", "Location: /bucket/elsewhere.jpg", length=0)
    return True


def reset_in_body(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", length=len(exchange.body))
    exchange.wire.sendall(exchange.body[: len(exchange.body) // 2])
    exchange.stop.wait(DRIP_SECONDS)
    exchange.reset()
    return False


def lengthless(exchange: Exchange) -> bool:
    """It ends a byte early, which a client cannot detect without a length."""
    exchange.send_head("200 OK", "Connection: close")
    exchange.wire.sendall(exchange.body[:-1])
    return False


def chunked(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", "Transfer-Encoding: chunked")
    exchange.wire.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(exchange.body), exchange.body))
    return True


def bad_length(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", "Content-Length: many")
    exchange.wire.sendall(exchange.body)
    return False


def huge(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", length=HUGE)
    exchange.flood(HUGE)
    return False


def huge_lengthless(exchange: Exchange) -> bool:
    exchange.send_head("200 OK", "Connection: close")
    exchange.flood(HUGE)
    return False


def huge_explanation(exchange: Exchange) -> bool:
    exchange.send_head("500 Oops", length=HUGE)
    exchange.flood(HUGE)
    return False


def huge_headers(exchange: Exchange) -> bool:
    exchange.wire.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100_000):
        exchange.wire.sendall(b"X-More: and more\r\n")
    return False


def garbage(exchange: Exchange) -> bool:
    exchange.wire.sendall(b"\x00\xffSSH-2.0 sorry\r\n\r\n")
    return False


def bad_date(exchange: Exchange) -> bool:
    exchange.wire.sendall(b"HTTP/1.1 200 OK\r\nLast-Modified: yesterday\r\nContent-Length: 1\r\n\r\nx")
    return True


def explained(status: str, code: str) -> Fault:
    def fault(exchange: Exchange) -> bool:
        exchange.explain(status, code)
        return True

    return fault


def make_once(*faults: Fault) -> Fault:
    """One after another for the requests of one target, and the last for all later ones."""

    def fault(exchange: Exchange) -> bool:
        return faults[min(exchange.ordinal, len(faults)) - 1](exchange)

    return fault


FAULTS: dict[str, Fault] = {
    "closes-in-silence": closes_in_silence,
    "too-long": too_long,
    "unavailable": unavailable,
    "unavailable-once": make_once(unavailable, good),
    "hang": hang,
    "hang-in-body": hang_in_body,
    "drip": drip,
    "drip-headers": drip_headers,
    "drip-continues": drip_continues,
    "drip-explanation": drip_explanation,
    "encoded": encoded,
    "late-body": late_body,
    "slow": slow,
    "short": short,
    "short-once": make_once(short, good),
    "reset": reset,
    "reset-once": make_once(reset, good),
    "reset-and-unavailable-once": make_once(reset, unavailable, good),
    "reset-in-body": reset_in_body,
    "lengthless": lengthless,
    "chunked": chunked,
    "bad-length": bad_length,
    "huge": huge,
    "huge-lengthless": huge_lengthless,
    "huge-explanation": huge_explanation,
    "huge-headers": huge_headers,
    "garbage": garbage,
    "bad-date": bad_date,
    "missing": explained("404 Not Found", "NoSuchKey"),
    "denied": explained("403 Forbidden", "AccessDenied"),
    "no-bucket": explained("404 Not Found", "NoSuchBucket"),
    "unknown-key-id": explained("403 Forbidden", "InvalidAccessKeyId"),
    "bad-signature": explained("403 Forbidden", "SignatureDoesNotMatch"),
    "moved": moved,
    "archived": explained("403 Forbidden", "InvalidObjectState"),
}
