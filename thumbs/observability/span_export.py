"""Sends spans to a collector, by a thread of the SDK: no request waits for it, nor does the end of the process.

The SDK reads its settings from the environment: `OTEL_EXPORTER_OTLP_ENDPOINT` and others.
"""

import atexit
import logging
import threading
from functools import cache

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

logger = logging.getLogger("thumbs")

_NAME = "thumbs"
_SERVICE = "mage"
# At the end of the process, for what was not sent yet. A collector that hangs must not hold up a restart.
_LAST_SECONDS = 2.0
_lock = threading.Lock()


def tracer(version: str) -> trace.Tracer:
    """The tracer of this process: of the site's own provider where there is one, else of one that sends by OTLP.

    `version` is that of the distribution. A provider that cannot be made is logged, and traces nothing.
    """
    with _lock:
        return _tracer(version)


@cache
def _tracer(version: str) -> trace.Tracer:
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        try:
            provider = _exporting(version)
        except Exception:  # a variable of the environment may be wrong in any way
            logger.exception("requests are not traced: the exporter cannot be made")
            provider = trace.NoOpTracerProvider()
    return provider.get_tracer(_NAME, version)


def _exporting(version: str) -> TracerProvider:
    named = {"service.name": _SERVICE, "service.version": version, **OTELResourceDetector().detect().attributes}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    processor = BatchSpanProcessor(OTLPSpanExporter())
    provider.add_span_processor(processor)
    atexit.register(_send_last, processor)
    return provider


def _send_last(processor: BatchSpanProcessor) -> None:
    # The SDK waits for up to 30 seconds, so it does that in a thread that the process does not wait for.
    sending = threading.Thread(target=processor.shutdown, name="mage-last-spans", daemon=True)
    sending.start()
    sending.join(_LAST_SECONDS)
