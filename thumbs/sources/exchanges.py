"""One HTTP/1.1 connection and the answers on it: one that was read whole leaves it fit for the next request."""

import http.client
import select
from collections.abc import Callable, Iterator

from botocore.awsrequest import AWSPreparedRequest

from thumbs.errors import StorageFailed
from thumbs.sources.reading import Deadline, Interrupted
from thumbs.sources.sockets import Route, TimedSocket, TimedTLSSocket

_CHUNK = 16384
_MAX_EXPLANATION = 1 << 20


class Body:
    """An answer's body, as botocore wants it.

    When it ends, `done(whole)` is called once, to say whether the connection can be reused. Raises `Interrupted` and
    `StorageTimeout`.
    """

    def __init__(self, response: http.client.HTTPResponse, done: Callable[[bool], None]) -> None:
        self._response = response
        self._done: Callable[[bool], None] | None = done

    def read(self, amt: int | None = None) -> bytes:
        try:
            data = self._response.read(amt)
            if amt and len(data) < amt and self._response.length:
                raise Interrupted
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Interrupted from error
        except BaseException:
            self.close()
            raise
        if self._response.isclosed():
            self._finish(whole=not self._response.will_close)
        return data

    def stream(self) -> Iterator[bytes]:
        """The chunks of an answer that explains an error: what is longer than a mebibyte explains nothing."""
        length = 0
        while chunk := self.read(_CHUNK):
            length += len(chunk)
            if length > _MAX_EXPLANATION:
                self.close()
                raise StorageFailed
            yield chunk

    def close(self) -> None:
        """End here. A connection with bytes still to come is closed, as that is cheaper than reading them."""
        if self._done and self._response.length == 0 and not self._response.chunked:
            self._response.read()
            self._finish(whole=not self._response.will_close)
        self._finish(whole=False)
        self._response.close()

    def _finish(self, *, whole: bool) -> None:
        done, self._done = self._done, None
        if done:
            done(whole)


class Connection(http.client.HTTPConnection):
    """One connection of a route. It never connects anew by itself, as that would be without a deadline."""

    auto_open = 0

    def __init__(self, route: Route, wire: TimedSocket | TimedTLSSocket) -> None:
        super().__init__(route.host, route.port)
        self.route = route
        self.sock = self.wire = wire
        self.idle_since = 0.0

    def exchange(
        self, request: AWSPreparedRequest, deadline: Deadline, header_seconds: float
    ) -> http.client.HTTPResponse:
        """The answer, its body unread. The request has no body: we only read."""
        self.wire.deadline = deadline
        headers = {**dict(request.headers.items()), "Host": self.route.authority}
        target = "/" + request.url.split("/", 3)[3]
        if self.route.proxy and self.route.scheme == "http":
            target = request.url
            if self.route.proxy.authorization:
                headers["Proxy-Authorization"] = self.route.proxy.authorization
        self.request(request.method, target, headers=headers)
        self.wire.deadline = deadline.within(header_seconds)
        response = self.getresponse()
        self.wire.deadline = deadline
        return response

    def is_quiet(self) -> bool:
        """Nothing has come since the last answer: the other side has neither closed nor gone mad."""
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        return not poll.poll(0)
