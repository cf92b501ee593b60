"""The views of the standalone server besides thumbnails."""

import asyncio

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from mage_project.build_info import build_info, libvips
from thumbs.conf.codecs import codecs
from thumbs.errors import BadRequest
from thumbs.http import messages
from thumbs.site.readiness import readiness, watch
from thumbs.wiring import build, process
from thumbs.wiring.machine import machine


async def health(_: HttpRequest) -> HttpResponse:
    """200 as long as the process runs."""
    return _plain({"status": "ok"}, 200)


async def ready(_: HttpRequest) -> HttpResponse:
    """200 while this process takes requests, else 503; answered from memory, with the details."""
    found = await asyncio.to_thread(readiness)
    details: dict[str, object] = {
        "status": "ready" if found.ready else "not ready",
        "reasons": found.reasons,
        "storages": found.storages,
        "caches": found.caches,
        "codecs": (await asyncio.to_thread(codecs)).described(),  # it may start a process
        "libvips": libvips(),
        "isolation": _isolation(),
    }
    return _plain(details, found.status)


def metrics(_: HttpRequest) -> HttpResponse:
    """Metrics in the text format of Prometheus; 404 unless the configuration has `"metrics": true`."""
    configuration = process.configuration()
    if not configuration.document.metrics:
        raise Http404
    watch()
    content_type, body = build.metrics().exposition(
        settings.METRICS_DIRECTORY,
        build.stores(configuration),
        build_info(),
        _isolation(),
        codecs().described(),
        machine(configuration, settings.METRICS_DIRECTORY),
    )
    return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})


def _isolation() -> dict[str, bool]:
    process.thumbnailer()
    found = process.isolation()
    return {} if found is None else found.layers


def not_found(_: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it by name
    """404 for every path that no URL pattern matches."""
    answer = messages.problem(NotAThumbnail())
    response = HttpResponse(answer.body, status=answer.status)
    for name, value in answer.headers:
        response.headers[name.decode()] = value.decode()
    return response


class NotAThumbnail(BadRequest):
    status = 404
    code = "not-a-thumbnail"
    sentence = "There is nothing here. Thumbnails are at /{storage}/thumbs/{size}/[filters:…/]{path}."


def _plain(body: dict[str, object], status: int) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
