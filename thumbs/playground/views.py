"""The views: the page, and the data that its script asks for. Each answers GET only; `routes` wraps them in a gate."""

import functools
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template import Context, Engine
from django.urls import reverse

from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.image.formats import FORMATS
from thumbs.playground import assets, dialects, links
from thumbs.playground.access import namespace_of
from thumbs.playground.controls import controls
from thumbs.playground.snippets import snippets
from thumbs.playground.wanted import Wanted, path_of, wanted_of
from thumbs.site import browsing
from thumbs.site.explain import Explanation
from thumbs.sources.listing import Unlistable

_NOT_SIGNED = (
    "URLs of this storage are signed, and this playground signs nothing: the URL is shown without its signature, and "
    "the server refuses it. The command manage.py thumb_url makes a signed one."
)
_SLOW = "The storage did not list its originals in time. Type the beginning of a key, or the whole key."
_FAILED = "The storage could not be listed. Type a key."
_UNLISTABLE = "This storage cannot list its originals. Type a key."
_IMMUTABLE = "private, max-age=31536000, immutable"
_LAST_PAGE = 100_000


def page(request: HttpRequest) -> HttpResponse:
    """The page. What it shows first is in its query, as the script writes it."""
    known = links.policies()
    storages = [
        {
            "name": name,
            "signed": links.is_signed(name),
            "listable": links.signs() and browsing.can_list(name),
            "start": links.start_of(policy),
        }
        for name, policy in known.items()
    ]
    namespace = namespace_of(request)
    context = {
        "storages": storages,
        "controls": list(controls(links.names())),
        "formats": [name for name, row in FORMATS.items() if row.output],
        "signs": links.signs(),
        "dialects": dialects.places(),
        "css": reverse(f"{namespace}:asset", kwargs={"name": assets.name_of("css")}),
        "js": reverse(f"{namespace}:asset", kwargs={"name": assets.name_of("js")}),
        "urls": {name: reverse(f"{namespace}:{name}") for name in ("link", "url", "originals")},
    }
    template = _engine().get_template("playground/page.html")
    return HttpResponse(template.render(Context(context, use_l10n=False)))


def link(request: HttpRequest) -> JsonResponse:
    """The URL for the parts in the query."""
    given = request.GET
    size = given.get("size", "x")
    wanted = Wanted(
        given.get("storage", ""), given.get("key", ""), size, given.get("filters", ""), given.get("name", "")
    )
    return JsonResponse(_described(request, wanted, links.link(wanted)))


def url(request: HttpRequest) -> JsonResponse:
    """The parts of the URL in the query, and the same as for parts."""
    policies = links.policies()
    text = request.GET.get("url", "")
    explanation = dialects.explained(text)
    if explanation is not None:
        return JsonResponse(_of_dialect(request, explanation))
    mounts = dict.fromkeys([links.mount_of(""), *map(links.mount_of, policies)])
    found = (path_of(text, mount, policies) for mount in mounts)
    path = next((each for each in found if each.split("/", 2)[1:2] and each.split("/", 2)[1] in policies), None)
    path = path_of(text, links.mount_of(""), policies) if path is None else path
    wanted = wanted_of(path)
    return JsonResponse(_described(request, wanted, links.link_of(path)))


def _of_dialect(request: HttpRequest, explanation: Explanation) -> dict[str, Any]:
    """The same of a URL of another image server: of what it becomes, and `dialect` has its explanation."""
    path, dialect = explanation.path, dialects.described(explanation)
    made = links.link_of(path) if path else links.nothing(explanation.url, str(dialect["refusal"]))
    return {**_described(request, wanted_of(path) if path else None, made), "dialect": dialect}


def _described(request: HttpRequest, wanted: Wanted | None, made: links.Link) -> dict[str, Any]:
    found: dict[str, Any] = {
        "url": made.url,
        "text": made.text,
        "error": made.error,
        "mistakes": [
            {"start": each.start, "end": each.end, "sentence": each.sentence, "nearest": each.nearest}
            for each in made.mistakes
        ],
        "facts": made.facts,
        "note": "",
        "parts": None,
        "formats": [],
        "copy": {},
        "dialect": None,
    }
    if wanted is None or wanted.storage not in links.policies():
        return found
    found["parts"] = {
        "storage": wanted.storage,
        "key": wanted.key,
        "size": wanted.size,
        "filters": wanted.calls,
        "name": wanted.name,
    }
    is_refused = links.is_signed(wanted.storage) and not links.signs()
    found["note"] = _NOT_SIGNED if is_refused else ""
    found["copy"] = snippets(wanted, made, f"{request.scheme}://{request.get_host()}")
    if made.thumb is not None and not is_refused:
        found["formats"] = links.formats_of(wanted)
    found["original"] = links.first_offered(wanted.storage, wanted.key, links.SHOWN)
    whole = links.link(Wanted(wanted.storage, wanted.key, "x"))
    found["whole"] = whole.url if whole.thumb is not None and not is_refused else ""
    return found


def originals(request: HttpRequest) -> JsonResponse:
    """A page of the originals of a storage, with a thumbnail of each. A failure is a sentence, with status 200."""
    storage, prefix = request.GET.get("storage", ""), request.GET.get("prefix", "")
    if not links.signs() or storage not in links.policies():
        raise Http404
    text = request.GET.get("page", "0")
    number = min(int(text), _LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    try:
        found = browsing.originals(storage, prefix, number=number)
    except StorageTimeout:
        return _no_originals(_SLOW)
    except Unlistable:
        return _no_originals(_UNLISTABLE)
    except StorageFailed:
        return _no_originals(_FAILED)
    shown = [{"key": key, "url": links.first_offered(storage, key, links.LISTED)} for key in found.keys]
    return JsonResponse({"originals": shown, "more": found.more, "page": number, "error": ""})


def _no_originals(sentence: str) -> JsonResponse:
    return JsonResponse({"originals": [], "more": False, "page": 0, "error": sentence})


def asset(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001 - Django passes it
    """The style sheet or the script."""
    found = assets.asset(name)
    if found is None:
        raise Http404
    return HttpResponse(found.body, content_type=found.content_type, headers={"Cache-Control": _IMMUTABLE})


@functools.cache
def _engine() -> Engine:
    """An engine of its own: the pages need no TEMPLATES, and no template of a site replaces theirs."""
    return Engine(dirs=[str(Path(__file__).parent / "templates")])
