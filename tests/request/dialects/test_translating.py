"""Each dialect reads its URLs into targets of our own grammar, so that one entry serves both spellings."""

import logging
from collections.abc import Mapping

import pytest

from thumbs.errors import BadFilter, BadPath, BadRequest, BadTarget, SignatureRefused, SourceNotAllowed, StorageUnknown
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request import grammar
from thumbs.request.dialects.dialect import Dialect
from thumbs.request.dialects.translating import Translator
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import resolve
from thumbs.request.resolver import resolver
from thumbs.sources.http.settings import HttpSettings, Urls

POLICIES = {
    "photos": StoragePolicy("photos", DEFAULT_QUALITIES, OutputLimits(), watermarks={"logo": "1"}),
    "others": StoragePolicy("others", DEFAULT_QUALITIES, OutputLimits()),
}
DIALECTS: Mapping[str, Dialect] = {
    each.path: each
    for each in (
        Dialect(
            "imgproxy",
            "/i/",
            {"local:///": "photos", "local:///deep/": "others"},
            presets={"card": "rs:fill:200:150/f:webp"},
            watermark="logo",
        ),
        Dialect("thumbor", "/t/", {"": "photos"}),
        Dialect("imagor", "/a/", {"": "photos"}),
        Dialect("ipx", "/x/", {"/": "photos"}),
        Dialect("mage", "/m/", {"": "photos"}),
        Dialect("thumbor", "/auto/", {"": "photos"}, format="auto"),
    )
}


def canonical(path: str, rest: str) -> str:
    """The URL of our own grammar that a URL of a dialect is read into."""
    storage, target = Translator(DIALECTS)(path, rest.encode(), POLICIES)
    return f"/{storage}/thumbs/{grammar.build(target)}"


@pytest.mark.parametrize(
    ("path", "rest", "own"),
    [
        ("/i/", "/_/w:300/plain/local:///a.jpg", "300x/filters:upscale(no)/a.jpg"),
        (
            "/i/",
            "/_/rs:fill:300:200:1/g:noea/plain/local:///a.jpg@webp",
            "300x200/filters:format(webp);gravity(northeast);upscale(yes)/a.jpg",
        ),
        (
            "/i/",
            "/_/rs:fit:300:300/ex:1:soea/plain/local:///a.jpg",
            "300x300/filters:fit(fill);upscale(no);align(southeast)/a.jpg",
        ),
        ("/i/", "/_/rs:force:300:300/plain/local:///a.jpg", "300x300/filters:fit(stretch);upscale(ratio)/a.jpg"),
        ("/i/", "/_/rs:fill:300:200/dpr:2/plain/local:///a.jpg", "300x200/filters:upscale(ratio);dpr(2)/a.jpg"),
        ("/i/", "/_/rs:auto:300:200/plain/local:///a.jpg", "300x200/filters:fit(auto);upscale(no)/a.jpg"),
        ("/i/", "/_/c:400:0:we:10:0/plain/local:///a.jpg", "x/filters:crop(400,0,west,10,0);upscale(no)/a.jpg"),
        (
            "/i/",
            "/_/rs:fill:300:200/rot:90/g:no/plain/local:///a.jpg",
            "200x300/filters:gravity(west);upscale(no);rotate(90)/a.jpg",
        ),
        (
            "/i/",
            "/_/rs:fill:300:200/fl:1/g:ea:5:0/plain/local:///a.jpg",
            "300x200/filters:gravity(west,5,0);upscale(no);flop/a.jpg",
        ),
        ("/i/", "/_/pr:card/plain/local:///a.jpg", "200x150/filters:format(webp);upscale(no)/a.jpg"),
        (
            "/i/",
            "/_/wm:0.5:soea:10:5:0.2/plain/local:///a.jpg",
            "x/filters:upscale(no);watermark(logo,southeast,50,0.2,10,5)/a.jpg",
        ),
        ("/i/", "/_/raw:1/plain/local:///a.jpg", "x/filters:format(original)/a.jpg"),
        ("/i/", "/_/c:400:300:we/plain/local:///a.jpg", "x/filters:crop(400,300,west);upscale(no)/a.jpg"),
        ("/i/", "/_/c:400/plain/local:///a.jpg", "x/filters:crop(400,0,center);upscale(no)/a.jpg"),
        ("/i/", "/_/pd:10:20/plain/local:///a.jpg", "x/filters:upscale(no);padding(10,20)/a.jpg"),
        (
            "/i/",
            "/_/rs:fill:300:200/pd:10:20/dpr:2/plain/local:///a.jpg",
            "300x200/filters:upscale(ratio);dpr(2);padding(20,40)/a.jpg",
        ),
        ("/i/", "/_/pd:0/plain/local:///a.jpg", "x/filters:upscale(no)/a.jpg"),
        (
            "/i/",
            "/_/rs:fill:300:200/g:noea:10:5/dpr:2/plain/local:///a.jpg",
            "300x200/filters:gravity(northeast,20,10);upscale(ratio);dpr(2)/a.jpg",
        ),
        (
            "/a/",
            "/unsafe/fit-in/300x/filters:crop(0.5,0.25,0.5,0.75)/a.jpg",
            "150x/filters:pcrop(50,25,100,100);upscale(no)/a.jpg",
        ),
        ("/x/", "/extend_10/a.jpg", "x/filters:upscale(no);padding(10,0,0,0);background(000000)/a.jpg"),
        ("/x/", "/extend_1_2_3_4/a.jpg", "x/filters:upscale(no);padding(1,2,3,4);background(000000)/a.jpg"),
        ("/x/", "/blur_5&sharpen_2/a.jpg", "x/filters:upscale(no);blur(5);sharpen(2)/a.jpg"),
        ("/x/", "/w_9&q_1/a.jpg", "9x/filters:quality(1);upscale(no)/a.jpg"),
        (
            "/i/",
            "/_/w:9/cb:v2/exp:99/fn:my%20cat/plain/local:///a.jpg",
            "9x/filters:upscale(no);version(v2);expires(99)/a.jpg/as/my cat.jpg",
        ),
        ("/i/", "/_/w:100000/plain/local:///a.jpg", "5120x/filters:upscale(no)/a.jpg"),
        ("/i/", "/_/w:9/plain/local:///deep/b%40c.jpg", "@others 9x/filters:upscale(no)/b@c.jpg"),
        ("/t/", "/unsafe/300x200/a.jpg", "300x200/filters:upscale(yes)/a.jpg"),
        ("/t/", "/unsafe/origx300/a.jpg", "x300/filters:upscale(yes);keep/a.jpg"),
        ("/t/", "/unsafe/9x/filters:contrast(40)/a.jpg", "9x/filters:upscale(yes);contrast(49)/a.jpg"),
        ("/a/", "/unsafe/9x/filters:contrast(-40)/a.jpg", "9x/filters:upscale(yes);contrast(-57)/a.jpg"),
        ("/t/", "/unsafe/9x/filters:saturation(1.5)/a.jpg", "9x/filters:upscale(yes);saturation(50)/a.jpg"),
        ("/a/", "/unsafe/9x/filters:saturation(50)/a.jpg", "9x/filters:upscale(yes);saturation(50)/a.jpg"),
        ("/a/", "/unsafe/9x/filters:max_frames(1)/a.gif", "9x/filters:upscale(yes)/a.gif"),
        ("/a/", "/unsafe/9x/filters:max_frames(2)/a.gif", "9x/filters:upscale(yes);frames(all)/a.gif"),
        (
            "/t/",
            "/unsafe/fit-in/300x200/filters:fill(red,1)/a.jpg",
            "300x200/filters:fit(fill,ff0000);upscale(no);background(ff0000)/a.jpg",
        ),
        ("/t/", "/unsafe/full-fit-in/300x200/a.jpg", "300x200/filters:fit(outside);upscale(no)/a.jpg"),
        ("/t/", "/unsafe/adaptive-fit-in/300x200/a.jpg", "300x200/filters:fit(contain);upscale(no);swap/a.jpg"),
        (
            "/t/",
            "/unsafe/10x20:5000x4000/-300x/left/a.jpg",
            "300x/filters:crop(10,20,5000,4000,clamp);gravity(west);upscale(yes);flop/a.jpg",
        ),
        (
            "/t/",
            "/unsafe/200x200/filters:focal(900x100:1100x300):rotate(90)/a.jpg",
            "200x200/filters:gravity(1000px,200px);upscale(yes);rotate(270)/a.jpg",
        ),
        ("/t/", "/unsafe/9x9//a.gif", "9x9/filters:format(gif);upscale(yes);frames(all)/a.gif"),
        ("/auto/", "/unsafe/9x/a.jpg", "9x/filters:format(auto);upscale(yes)/a.jpg"),
        (
            "/a/",
            "/unsafe/0.1x0.1:0.9x0.9/fit-in/300x200/10x20/filters:fill(red)/a.jpg",
            "300x200/filters:fit(fill,ff0000);pcrop(10,10,90,90);upscale(no);padding(20,10);background(ff0000)/a.jpg",
        ),
        ("/a/", "/unsafe/200x200/top/a.jpg", "200x200/filters:gravity(northwest);upscale(yes)/a.jpg"),
        ("/a/", "/unsafe/9x/b64:YS5qcGc", "9x/filters:upscale(yes)/a.jpg"),
        (
            "/a/",
            "/unsafe/9x/filters:format(jpeg)/a.png",
            "9x/filters:format(jpeg);upscale(yes);background(000000)/a.png",
        ),
        ("/x/", "/s_300x400,fit_contain&b_%23ff0000/a.jpg", "300x400/filters:fit(fill,ff0000);upscale(ratio)/a.jpg"),
        ("/x/", "/rotate_90,w_300,enlarge/a.jpg", "x300/filters:upscale(yes);rotate(90)/a.jpg"),
        ("/x/", "/w_300,h_400,f_auto/a.jpg", "300x/filters:format(auto);upscale(no)/a.jpg"),
        ("/x/", "/_/a.jpg?x=1", "x/filters:upscale(no)/a.jpg?x=1"),
        ("/m/", "/400x300/f:%20q(50)%20;/a.jpg", "400x300/filters:quality(50)/a.jpg"),
        ("/m/", "/400x/a.jpg", "400x/filters:upscale(yes)/a.jpg"),
    ],
)
def test_a_url_is_read_into_our_own_grammar(path: str, rest: str, own: str) -> None:
    storage, _, target = own.rpartition(" ") if own.startswith("@") else ("@photos", "", own)
    if own.startswith("@"):
        storage, target = own.split(" ", 1)
    assert canonical(path, rest) == f"/{storage[1:]}/thumbs/{target}"


@pytest.mark.parametrize(
    ("path", "rest", "own"),
    [
        ("/i/", "/_/w:300/plain/local:///a.jpg", "300x/a.jpg"),
        ("/i/", "/_/rs:fill:300:200:1/f:webp/plain/local:///a.jpg", "300x200/f:fmt(webp)/a.jpg"),
        ("/t/", "/unsafe/300x200/a.jpg", "300x200/a.jpg"),
        ("/a/", "/unsafe/fit-in/300x200/a.jpg", "300x200/f:fit(contain)/a.jpg"),
        ("/x/", "/w_300/a.jpg", "300x/a.jpg"),
        ("/m/", "/400x300/a.jpg", "400x300/a.jpg"),
    ],
)
def test_one_entry_serves_both_spellings(path: str, rest: str, own: str) -> None:
    find = resolver(POLICIES, Translator(DIALECTS))
    theirs, ours = find(rest.encode(), (), path), resolve(f"/photos/thumbs/{own}".encode(), (), POLICIES)
    assert (theirs.key, theirs.identity, theirs.headers) == (ours.key, ours.identity, ours.headers)


@pytest.mark.parametrize(
    ("path", "rest", "error"),
    [
        *(
            ("/i/", f"/_/{option}/plain/local:///a.jpg", BadFilter)
            for option in (
                *(
                    "foo:1",
                    "w:",
                    "w:-1",
                    "w:1.5",
                    "rs:cover:1:1",
                    "rs:fill:1:1:0:0:ce:0:0:9",
                    "g:xx",
                    "g:fp:0.5",
                    "bg:xyz",
                ),
                *(
                    "dpr:0",
                    "pd:-5",
                    "f:",
                    "c:-1:1",
                    "t:abc",
                    "sh:",
                    "rot:45",
                    "rot:-90",
                    "q:101",
                    "wm:2",
                    "preset:none",
                    "wm:1:ce:0:0:1.5",
                ),
                *("br:10", "ar:0", "pix:5", "mw:100", "exar:1", "exar:0:xx", "c:1:1:sm", "msr:1", "g:fp:2:2"),
            )
        ),
        ("/i/", "/_/w:9/plain/local:///a.jpg@webp@png", BadFilter),
        ("/i/", "/_/w:9/plain/local:///100%.jpg", BadPath),
        ("/i/", "/_/w:9/!!!", BadPath),
        ("/i/", "/_/w:9//plain/local:///a.jpg", BadPath),
        ("/i/", "/_/w:9/plain/local:///../a.jpg", BadPath),
        ("/i/", "/_/w:9/plain/s3://bucket/a.jpg", StorageUnknown),
        ("/i/", "/w:9/plain/local:///a.jpg", SignatureRefused),
        ("/t/", "/300x200/a.jpg", SignatureRefused),
        ("/t/", "//unsafe/300x200/a.jpg", SignatureRefused),
        ("/t/", "/unsafe/300x200/filters:watermark(a.png,0,0,0)/a.jpg", BadFilter),
        ("/t/", "/unsafe/meta/300x200/a.jpg", BadFilter),
        ("/t/", "/unsafe/300x200/", BadPath),
        ("/t/", "/unsafe/300x200/a/../b.jpg", BadPath),
        ("/a/", "/unsafe/300x200/filters:hue(90)/a.jpg", BadFilter),
        ("/a/", "/unsafe/0.5x0.5:0.9x1.5/a.jpg", BadFilter),
        ("/x/", "/w_abc/a.jpg", BadFilter),
        ("/x/", "/w/a.jpg", BadFilter),
        ("/x/", "/gamma_2/a.jpg", BadFilter),
        ("/x/", "/w_9/..%2Fa.jpg", BadPath),
        ("/i/", "/_/w:9/plain/local:///a%  b.jpg", BadPath),
        ("/x/", "/a.jpg", BadPath),
        ("/x/", "/w_9/%FF.jpg", BadPath),
        ("/m/", "/400/a.jpg", BadRequest),
        ("/m/", "/400x300/", BadPath),
        ("/m/", "", BadTarget),
        ("/i/", "", BadTarget),
    ],
)
def test_what_the_peer_refuses_or_mage_cannot_make_is_an_error(path: str, rest: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        canonical(path, rest)


def test_what_mage_cannot_make_is_named() -> None:
    with pytest.raises(BadFilter, match="a watermark with a scale above 1"):
        canonical("/i/", "/_/wm:1:ce:0:0:1.5/plain/local:///a.jpg")


def test_an_ignored_option_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    translate = Translator(DIALECTS)
    with caplog.at_level(logging.WARNING, "thumbs"):
        for rest in ("/unsafe/9x/filters:nosuch(1)/a.jpg", "/unsafe/8x/filters:nosuch(2):other()/a.jpg"):
            translate("/t/", rest.encode(), POLICIES)
        translate("/x/", b"/foo_1/a.jpg", POLICIES)
    assert [record.getMessage() for record in caplog.records] == [
        "dialect thumbor at /t/: option nosuch is ignored",
        "dialect thumbor at /t/: option other is ignored",
        "dialect ipx at /x/: option foo is ignored",
    ]


def test_names_that_clients_choose_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    translate = Translator(DIALECTS)
    with caplog.at_level(logging.WARNING, "thumbs"):
        for number in range(1000):
            translate("/x/", f"/foo{number}_1,%0Aevil_1/a.jpg".encode(), POLICIES)
    assert len(caplog.records) == 100
    assert "evil" not in caplog.text


def test_a_target_within_the_limits_is_not_capped_and_an_enlarged_one_is_refused() -> None:
    find = resolver(POLICIES, Translator(DIALECTS))
    assert find(b"/_/rs:fill:9000:4500/dpr:2/plain/local:///a.jpg", (), "/i/").transform.target == (5120, 2560)
    assert find(b"/_/rs:fit:9000:100/plain/local:///a.jpg", (), "/i/").transform.target == (5120, 100)
    with pytest.raises(BadRequest):
        find(b"/unsafe/9000x9000/a.jpg", (), "/t/")


def test_of_a_storage_that_reads_urls_the_whole_url_is_the_path() -> None:
    naming = Urls(HttpSettings(allowed_sources=("https://img.example.com/",)))
    remote = StoragePolicy("remote", DEFAULT_QUALITIES, OutputLimits(), naming=naming, max_segment_bytes=0)
    dialect = Dialect("imgproxy", "/i/", {"https://": "remote"})
    find = resolver({"remote": remote}, Translator({"/i/": dialect}))
    own = resolve(b"/remote/thumbs/9x/https/img.example.com/a b.jpg?x=1", (), {"remote": remote})
    for source in (
        "plain/https://img.example.com/a%20b.jpg%3Fx=1",
        "plain/https:/img.example.com/a%20b.jpg%3Fx=1",
        "aHR0cHM6Ly9pbWcuZXhhbXBsZS5jb20vYSBiLmpwZz94PTE",
    ):
        assert find(f"/_/w:9/{source}".encode(), (), "/i/").key == own.key
    with pytest.raises(SourceNotAllowed):
        find(b"/_/w:9/plain/https://other.example.com/a.jpg", (), "/i/")


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("imgproxy", "/_/w:9/plain/https://img.example.com/a.gif"),
        ("thumbor", "/unsafe/9x/https%3A%2F%2Fimg.example.com%2Fa.gif"),
        ("imagor", "/unsafe/9x/https%3A%2F%2Fimg.example.com%2Fa.gif"),
        ("imagor", "/unsafe/9x/https%253A%252F%252Fimg.example.com%252Fa.gif"),
        ("ipx", "/w_9/https://img.example.com/a.gif"),
    ],
)
def test_the_extension_of_a_url_is_that_of_its_path_without_the_query(name: str, raw: str) -> None:
    naming = Urls(HttpSettings(allowed_sources=("https://img.example.com/",)))
    remote = StoragePolicy("remote", DEFAULT_QUALITIES, OutputLimits(), naming=naming, max_segment_bytes=0)
    find = resolver({"remote": remote}, Translator({"/i/": Dialect(name, "/i/", {"https://": "remote"})}))
    query = "%253Fx=a.png" if "%252F" in raw else "%3Fx=a.png"
    plain, queried = (find(each.encode(), (), "/i/") for each in (raw, raw + query))
    assert queried.path == f"{plain.path}?x=a.png"
    assert queried.transform == plain.transform


@pytest.mark.parametrize(
    ("name", "prefix", "raw", "key"),
    [
        ("ipx", "/", "/w_9/cats/tom.jpg", "cats/tom.jpg"),
        ("thumbor", "", "/unsafe/9x/cats/tom.jpg", "cats/tom.jpg"),
        ("thumbor", "cats/", "/unsafe/9x/cats/tom.jpg", "tom.jpg"),
        ("imgproxy", "s3://bucket/", "/_/w:9/plain/s3://bucket/cats/tom.jpg", "cats/tom.jpg"),
        (
            "imgproxy",
            "https://cdn.example.com/media/",
            "/_/w:9/plain/https://cdn.example.com/media/a%20b.jpg",
            "a b.jpg",
        ),
        ("imgproxy", "https://", "/_/w:9/plain/https://cdn.example.com/media/a%2520b.jpg", "a b.jpg"),
        ("imgproxy", "https://old.example.com/", "/_/w:9/plain/https://old.example.com/a%2520b.jpg", "a b.jpg"),
    ],
)
def test_below_a_base_url_the_rest_of_a_source_is_the_key(name: str, prefix: str, raw: str, key: str) -> None:
    naming = Urls(HttpSettings(base_url="https://cdn.example.com/media/"))
    remote = StoragePolicy("remote", DEFAULT_QUALITIES, OutputLimits(), naming=naming, max_segment_bytes=0)
    find = resolver({"remote": remote}, Translator({"/i/": Dialect(name, "/i/", {prefix: "remote"})}))
    assert find(raw.encode(), (), "/i/").path == key


@pytest.mark.parametrize(
    "source", ["https://cdn.example.com/media/a.jpg%3Fx=1", "https://user%40cdn.example.com/media/a.jpg"]
)
def test_below_a_base_url_a_url_that_has_no_key_is_refused(source: str) -> None:
    naming = Urls(HttpSettings(base_url="https://cdn.example.com/media/"))
    remote = StoragePolicy("remote", DEFAULT_QUALITIES, OutputLimits(), naming=naming, max_segment_bytes=0)
    find = resolver({"remote": remote}, Translator({"/i/": Dialect("imgproxy", "/i/", {"https://": "remote"})}))
    with pytest.raises(SourceNotAllowed):
        find(f"/_/w:9/plain/{source}".encode(), (), "/i/")
