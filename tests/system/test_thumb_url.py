"""`thumb_url` prints the URLs of the standalone server."""

from tests.support.commands import manage
from tests.support.fronts import Fronts
from tests.support.servers import fetch


def test_the_url_of_a_standalone_server_is_one_of_its_own(fronts: Fronts) -> None:
    front = fronts.servers[0]
    arguments = ["thumb_url", "signed", "cats/tom & jerry?.jpg", "--size", "64x", "--filters", "format(webp)"]
    done = manage(front.environ, *arguments, "--base", f"http://127.0.0.1:{front.port}")
    assert (done.returncode, done.stderr) == (0, "")
    answer = fetch(done.stdout.strip())
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
