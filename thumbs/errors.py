"""The exception tree: one class for each way in which a request can fail, with its status and its public sentence.

The sentences are constants. Clients receive them as `application/problem+json` (RFC 9457), so none may contain a
library's text, a path of the file system, a bucket, an endpoint or anything that the client sent.
"""

from typing import ClassVar


class ThumbError(Exception):
    """A request that cannot be answered with a picture.

    `detail` replaces the public sentence of the class; it must be a constant too. `remembered` is for how many seconds
    a storage's failure stands for later requests, 0.0 for none.
    """

    remembered: float = 0.0

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    sentence: ClassVar[str] = "The thumbnail could not be made."
    headers: ClassVar[tuple[tuple[bytes, bytes], ...]] = ()
    # The code for logs and metrics, where it differs from the one that clients get.
    logged_as: ClassVar[str] = ""

    @property
    def logged_code(self) -> str:
        """The code of this error in logs and metrics."""
        return self.logged_as or self.code

    def __init__(self, detail: str | None = None) -> None:
        self.detail = self.sentence if detail is None else detail
        super().__init__(self.detail)


# ------------------------------------------------------------------------------------ the request


class BadRequest(ThumbError):
    status = 400
    code = "bad-request"
    sentence = "The URL is not a thumbnail URL: /{storage}/thumbs/{size}/[filters:…/]{path}."


class BadTarget(BadRequest):
    code = "bad-target"
    sentence = (
        "The request target must be a path, or an http or https URL with a host, a path and no user information, in "
        "visible ASCII without '#'."
    )


class BadHost(BadRequest):
    code = "bad-host"
    sentence = "A request of HTTP/1.1 must have exactly one Host header field, and its value must be a host."


class BadPath(BadRequest):
    code = "bad-path"
    sentence = (
        "The path must be valid UTF-8 without empty, '.' or '..' segments, backslashes or control "
        "characters, at most 1,024 bytes in all and, in a directory, 255 a segment."
    )


class BadSize(BadRequest):
    code = "bad-size"
    sentence = "The size must be 400x300, 400x, x300 or x, in decimals without leading zeros."


class BadFilter(BadRequest):
    code = "bad-filter"
    sentence = "The filters must be written filters:name(arguments);name(arguments), each at most once."


class SizeOverLimit(BadRequest):
    code = "size-over-limit"
    sentence = "The thumbnail asked for is larger than this server makes."


class NotOffered(BadRequest):
    code = "not-offered"
    sentence = "This storage offers only a closed set of sizes and formats, and this is not one of them."


class SourceNotAllowed(BadRequest):
    code = "source-not-allowed"
    sentence = "This storage does not read originals from this URL."


class SourceLoop(BadRequest):
    code = "source-loop"
    sentence = "This request has passed through such a server already: the original would be fetched in a circle."


class SignatureRefused(ThumbError):
    status = 403
    code = "signature-refused"
    sentence = "The signature is wrong."


class SignatureMissing(SignatureRefused):
    code = "signature-missing"
    sentence = "This storage accepts only signed URLs, and this URL carries no signature."


class SignatureUnexpected(SignatureRefused):
    code = "signature-unexpected"
    sentence = "This storage accepts only unsigned URLs, and this URL carries a signature."


class AccessRefused(ThumbError):
    status = 403
    code = "access-refused"
    sentence = "This picture is not for this client."


class StorageUnknown(ThumbError):
    status = 404
    code = "storage-unknown"
    sentence = "There is no storage of this name."


class MethodNotAllowed(ThumbError):
    status = 405
    code = "method-not-allowed"
    sentence = "Only GET and HEAD are answered here."
    headers = ((b"Allow", b"GET, HEAD"),)


class Expired(ThumbError):
    status = 410
    code = "expired"
    sentence = "This URL was valid until a time that has passed."


class TargetTooLong(ThumbError):
    status = 414
    code = "target-too-long"
    sentence = "The request target is longer than 2,048 bytes."


# ------------------------------------------------------------------------------------- the source


class SourceMissing(ThumbError):
    status = 404
    code = "source-missing"
    sentence = "There is no such picture in this storage."


class SourceDenied(SourceMissing):
    """The storage refuses to give this original, or to say whether it exists. Clients get the answer for a missing one.

    It does not show that the original is gone: no copy is dropped because of it.
    """

    logged_as = "storage-denied"


class SourceTooLarge(ThumbError):
    status = 413
    code = "source-too-large"
    sentence = "The original's file is larger than this server reads."


class SourceUnsupported(ThumbError):
    status = 415
    code = "source-unsupported"
    sentence = "The original is not in a picture format that this server reads."


# Of a SourceUnsupported: its colors would be wrong.
JXL_WITH_PROFILE = "The original is a JPEG XL with an ICC profile, which this server cannot read."
JXL_OF_UNKNOWN_COLORS = "The original is a JPEG XL whose color description this server cannot use."


class SourceBroken(ThumbError):
    status = 422
    code = "source-broken"
    sentence = "The original is damaged or cut short."


class SourceOverLimit(SourceBroken):
    code = "source-over-limit"
    sentence = "The original has more pixels or frames than this server decodes."


class SourceOverMemory(SourceBroken):
    code = "source-over-memory"
    sentence = "The original needs more memory than this server gives to one render."


class StorageFailed(ThumbError):
    status = 502
    code = "storage-failed"
    sentence = "The storage did not give the original."


class StorageDenied(StorageFailed):
    """The storage refuses everything, also its probe."""

    logged_as = "storage-denied"


class StorageTimeout(ThumbError):
    status = 504
    code = "storage-timeout"
    sentence = "The storage did not give the original in time."


# ------------------------------------------------------------------------------------ the render


class RenderFailed(ThumbError):
    code = "render-failed"


class RenderTimeout(ThumbError):
    status = 504
    code = "render-timeout"
    sentence = "The thumbnail was not ready in time."


class Overloaded(ThumbError):
    status = 503
    code = "overloaded"
    sentence = "More thumbnails are being made than this server takes on. Try again shortly."
    headers = ((b"Retry-After", b"1"),)


class HostOverloaded(Overloaded):
    """Too many reads of one host wait. The storage takes requests for its other hosts."""

    logged_as = "host-overloaded"


class RendererUnavailable(ThumbError):
    status = 503
    code = "renderer-unavailable"
    sentence = "This server is short of memory or processes for a thumbnail. Try again shortly."
    headers = ((b"Retry-After", b"1"),)


class ServerExhausted(ThumbError):
    status = 503
    code = "server-exhausted"
    sentence = "This server is short of memory, threads or open files. Try again shortly."
    headers = ((b"Retry-After", b"1"),)


class Preempted(Exception):
    """A render was ended to free its place, and is made again later. No client gets this."""
