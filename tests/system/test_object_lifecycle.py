"""The lifecycle rule of docs/deployment.md is one that an S3 server takes, and it covers what the layer writes."""

import json
import re

from tests.support.object_sites import Bucket
from tests.support.servers import ROOT
from thumbs.cache.objects.names import Names
from thumbs.conf.document import ObjectCacheConf

_RULE = re.compile(r"```json\n(\{\"Rules\": .*?)```", re.DOTALL)
_DAY_SECONDS = 86_400


def test_the_documented_rule_is_taken_and_fits_the_defaults(moto: str) -> None:
    (text,) = _RULE.findall((ROOT / "docs" / "deployment.md").read_text())
    rules, bucket = json.loads(text), Bucket.made(moto)
    client = bucket._client()
    client.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration=rules)
    (rule,) = client.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
    defaults = ObjectCacheConf()
    assert rule["Status"] == "Enabled"
    assert rule["Expiration"] == {"Days": defaults.ttl_seconds / _DAY_SECONDS}
    names = Names(defaults.prefix, "photos")
    for name in (names.entry("group/name"), names.feed, names.lease("group/name"), names.purged("group")):
        assert name.startswith(rule["Filter"]["Prefix"])
