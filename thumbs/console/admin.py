"""The console in the admin: its page in the place of a change list, and its actions."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from thumbs.conf.document import StorageConf
from thumbs.conf.loading import NotConfigured
from thumbs.console import context
from thumbs.console.actions import Outcome, clear_storage, purge_original
from thumbs.console.charts import RING_RADIUS
from thumbs.console.figures import figures
from thumbs.console.models import Cache
from thumbs.wiring.process import current

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Cache]
else:
    _ModelAdmin = admin.ModelAdmin  # which has no parameters at run time

_PERMISSION = "thumbs_console.manage_caches"
_LAST_PAGE = 100_000


@admin.register(Cache)
class CacheAdmin(_ModelAdmin):
    """One page for all caches: nothing is added, changed or deleted as a row."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        has_perm = getattr(request.user, "has_perm", None)  # a user model of a site may have no permissions
        return has_perm is not None and bool(has_perm(_PERMISSION))

    def has_view_permission(self, request: HttpRequest, obj: Cache | None = None) -> bool:  # noqa: ARG002
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Cache | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Cache | None = None) -> bool:  # noqa: ARG002
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", wrap(self.changelist_view), name=f"{name}_changelist"),
            path("purge/", wrap(self.purge_view), name=f"{name}_purge"),
            path("clear/<str:storage>/", wrap(self.clear_view), name=f"{name}_clear"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page: every storage, the requests, and what can be purged."""
        self._require(request)
        storages = self._storages(request)
        counted = context.totals() if storages else None
        more = {
            "cards": [context.card(each) for each in figures(storages)],
            "radius": RING_RADIUS,
            "requests": context.requests(counted),
            "listing": self._listing(request, storages),
            "storages": [conf.name for conf in storages],
            "chosen": request.GET.get("storage", ""),
            "prefix": request.GET.get("prefix", ""),
            **(extra_context or {}),
        }
        return self._page(request, "console", "Thumbnail caches", more)

    def purge_view(self, request: HttpRequest) -> HttpResponse:
        """Purge the original that was posted, and return to the page."""
        self._require(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        storage, key = request.POST.get("storage", ""), request.POST.get("key", "")
        self._tell(request, storage, purge_original(storage, key))
        kept = {name: request.POST[name] for name in ("browse", "prefix", "page") if request.POST.get(name)}
        return HttpResponseRedirect(self._url({**kept, "storage": storage} if kept else {}))

    def clear_view(self, request: HttpRequest, storage: str) -> HttpResponse:
        """Ask whether to clear a storage's caches, and say what it costs; clear them when the answer is posted."""
        self._require(request)
        conf = next((each for each in self._storages(request) if each.name == storage), None)
        if conf is None:
            raise Http404
        if request.method == "POST":
            self._tell(request, storage, clear_storage(storage))
            return HttpResponseRedirect(self._url())
        (found,) = figures([conf])
        more = {
            "storage": storage,
            "cost": context.cost(found.disk, context.totals()),
            "others": found.others,
            "error": found.error,
        }
        return self._page(request, "clear", f"Clear the thumbnails of {storage}", more)

    # ------------------------------------------------------------------------------------ parts

    def _require(self, request: HttpRequest) -> None:
        if not self.has_module_permission(request):
            raise PermissionDenied

    def _storages(self, request: HttpRequest) -> tuple[StorageConf, ...]:
        try:
            return current().read.storages
        except NotConfigured:
            messages.error(request, "The configuration has errors: run manage.py check.")
            return ()

    def _listing(self, request: HttpRequest, storages: tuple[StorageConf, ...]) -> context.Listing | None:
        storage = request.GET.get("storage", "")
        if "browse" not in request.GET or storage not in {conf.name for conf in storages}:
            return None
        text = request.GET.get("page", "0")
        number = min(int(text), _LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        return context.listing(storage, request.GET.get("prefix", ""), number)

    def _tell(self, request: HttpRequest, storage: str, outcome: Outcome) -> None:
        """Say what became of an action, and write it into the admin's log."""
        messages.add_message(request, messages.SUCCESS if outcome.is_done else messages.ERROR, outcome.sentence)
        self.log_change(request, Cache(name=storage[:255]), outcome.sentence)

    def _page(self, request: HttpRequest, name: str, title: str, more: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name  # for the URLs in the templates
        shown = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "console": self._url()}
        return TemplateResponse(request, f"admin/thumbs_console/{name}.html", {**shown, **more})

    def _url(self, query: dict[str, str] | None = None) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        found = reverse(name, current_app=self.admin_site.name)
        return f"{found}?{urlencode(query)}" if query else found
