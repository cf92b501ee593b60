"""URLs that end: what was served for one before must not be served again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.fronts import SECRET, signature
from tests.support.servers import Server

_LOOKS = 6  # each may be answered by another worker


@dataclass(frozen=True)
class Ending:
    """A URL that ends, and the status afterwards; 200 where other bytes take the place of `body`."""

    path: str
    status: int
    accept: str = "*/*"

    def first(self, server: Server) -> tuple[bytes, str]:
        """The picture and its ETag."""
        answer = server.get(self.path, headers={"Accept": self.accept})
        assert answer.status == 200, (self.path, answer.body)
        return answer.body, answer.headers["etag"]

    def is_over(self, server: Server, first: tuple[bytes, str]) -> bool:
        """Whether `first` is not served in any way, by any worker; and then what is served instead is right."""
        body, etag = first
        seen = []
        for _ in range(_LOOKS):
            get = server.get(self.path, headers={"Accept": self.accept})
            query = server.get(f"{self.path}?v=2", headers={"Accept": self.accept})
            head = server.get(self.path, method="HEAD", headers={"Accept": self.accept})
            same = server.get(self.path, headers={"Accept": self.accept, "If-None-Match": etag})
            answers = (get, query, head, same)
            seen += [answer.status for answer in answers]
            if body in (get.body, query.body, same.body) or etag in (each.headers.get("etag") for each in answers):
                return False
        assert set(seen) == {self.status}, (self.path, seen)
        return True


def signed(rest: str, secret: str, *, storage: str = "signed") -> str:
    """The path of a URL of a storage whose URLs are signed."""
    return f"{storage}/thumbs/{signature(f'/{storage}/thumbs/{rest}', secret)}/{rest}"


def served_in_time(storages: list[str], serve: Callable[[list[Ending]], None]) -> tuple[int, list[Ending]]:
    """Have URLs of these signed storages served that end soon, and when that is.

    A busy machine may need more time: then later ones are served as well.
    """
    for seconds in (8, 24, 72, 600):
        end = int(time.time()) + seconds
        rest = f"90x60/filters:expires({end})/lasting.jpg"
        endings = [Ending(signed(rest, SECRET, storage=storage), 410) for storage in storages]
        try:
            serve(endings)
        except AssertionError:
            if time.time() < end:
                raise
        else:
            return end, endings
    raise AssertionError("no URL was served before its end")
