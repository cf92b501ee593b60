"""Secrets and signatures are removed from texts and log records."""

import logging

import pytest

from tests.support import servers
from thumbs.observability import redaction


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("redis://user:pa55@10.0.0.1:6379/0 timed out", "redis://[hidden]@10.0.0.1:6379/0 timed out"),
        ("https://b.s3/x?X-Amz-Signature=ab12&X-Amz-Date=1", "https://b.s3/x?X-Amz-Signature=[hidden]&X-Amz-Date=1"),
        ("https://a.blob/x?sv=1&sig=ab%2F12", "https://a.blob/x?sv=1&sig=[hidden]"),
        ("X-Amz-Security-Token: abc", "X-Amz-Security-Token: [hidden]"),
        ("{'X-Amz-Security-Token': b'abc', 'Host': b'h'}", "{'X-Amz-Security-Token': b'[hidden]', 'Host': b'h'}"),
        ("{'Authorization': b'AWS4 Credential=AK/1, Signature=2'}", "{'Authorization': b'[hidden]'}"),
        ('{"account_key": "abc", "bucket": "b"}', '{"account_key": "[hidden]", "bucket": "b"}'),
        ("connect(host='h', password='it is')", "connect(host='h', password='[hidden]')"),
        ("<SecretAccessKey>abc</SecretAccessKey>", "<SecretAccessKey>[hidden]</SecretAccessKey>"),
        (f"Signature:\n{'0f' * 32}", "Signature:\n[hidden]"),
        ("/a/thumbs/0123456789abcdef/x/b.jpg", "/a/thumbs/[hidden]/x/b.jpg"),
        ("/a/%54HUMBS%2f%30123456789abcde%66%2fx", "/a/%54HUMBS%2f[hidden]%2fx"),
        # What is no secret stays.
        ("storages[a].secret_key: must be a text.", "storages[a].secret_key: must be a text."),
        ("The signature is wrong.", "The signature is wrong."),
        ("[Errno 13] Permission denied: '/var/cache/thumbs/photos/ab'", None),
        ("/srv/site/thumbs/management/commands/thumb_url.py", None),
        ("author=me, monkey=1, https://host/path", None),
    ],
)
def test_texts_are_redacted_by_what_they_say(text: str, clean: str | None) -> None:
    assert redaction.redacted(text) == (text if clean is None else clean)


def test_every_logger_of_the_package_is_cleaned() -> None:
    sources = [path.read_text() for path in (servers.ROOT / "thumbs").rglob("*.py")]
    names = {text.split('getLogger("')[1].split('"')[0] for text in sources if 'getLogger("' in text} - {"pyvips"}
    assert names <= set(redaction.OUR_LOGGERS)
    for name in redaction.OUR_LOGGERS:
        assert redaction.clean in logging.getLogger(name).filters
