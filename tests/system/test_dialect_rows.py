"""What other image servers answered to their URLs is what Mage answers, apart from a table of differences."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.block_pictures import measured, write_originals
from tests.support.dialect_differences import DIFFERENCES, reason
from tests.support.recorded_rows import (
    SIGNED_SETUPS,
    ClientUrl,
    DialectServer,
    Row,
    client_urls,
    difference,
    open_dialects,
    rows,
    servers_of_rows,
)

DIALECTS = ("imgproxy", "thumbor", "imagor", "ipx", "mage")
# The least share of unsigned rows that are answered as by the real server.
SHARES = {"imgproxy": 0.91, "thumbor": 0.80, "imagor": 0.89, "ipx": 0.88, "mage": 0.90}
ALL = [row for dialect in DIALECTS for row in rows(dialect)]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_originals(tmp_path_factory.mktemp("originals"))


@pytest.fixture(scope="module")
def server(originals: Path) -> Iterator[Callable[[Row], DialectServer]]:
    with servers_of_rows(originals) as found:
        yield found


@pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.dialect}-{row.setup}-{row.url[:100]}")
def test_a_recorded_url_gives_the_recorded_picture_or_is_refused_as_it_was(
    row: Row, server: Callable[[Row], DialectServer]
) -> None:
    found = difference(row, server(row).ask(row.url, row.accept))
    if reason(row.dialect, row.setup, row.url) is None:
        assert found is None
    else:
        assert found is not None, "it differs no more: take it out of the table of differences"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_share_of_equal_answers_is_kept(dialect: str) -> None:
    unsigned = [row for row in rows(dialect) if row.setup not in SIGNED_SETUPS]
    equal = [row for row in unsigned if reason(dialect, row.setup, row.url) is None]
    assert len(equal) / len(unsigned) >= SHARES[dialect]


def test_each_difference_is_one_of_a_recorded_row() -> None:
    recorded = {(row.dialect, row.url) for row in ALL}
    listed = {(dialect, url) for dialect, table in DIFFERENCES.items() for urls in table.values() for url in urls}
    assert listed <= recorded


@pytest.mark.parametrize("written", client_urls(), ids=lambda written: f"{written.client}-{written.url[:100]}")
def test_a_url_of_a_client_library_is_answered_as_the_real_server_did(written: ClientUrl, originals: Path) -> None:
    server = open_dialects(originals, [written.dialect])
    answer = server.ask(written.url)
    server.thumbnailer.close()
    if written.status != 200:
        assert 400 <= answer.status < 500
        return
    assert (answer.status, answer.content_type) == (200, written.content_type)
    assert measured(answer.body)[0] == written.size
