"""OpenTelemetry traces: off, and not even imported, unless OTEL_EXPORTER_OTLP_ENDPOINT is set.

A span for each request, task and query, sent to the collector at that address by OTLP over HTTP.
All of OpenTelemetry's own OTEL_* variables hold (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, ...).
"""

import os
from importlib import import_module
from typing import Any

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
INSTRUMENTS = {
    "opentelemetry.instrumentation.django": "DjangoInstrumentor",
    "opentelemetry.instrumentation.celery": "CeleryInstrumentor",
    "opentelemetry.instrumentation.psycopg": "PsycopgInstrumentor",
}


class TracingNotInstalled(Exception):
    """Traces are configured, but their libraries are not installed."""


def start_tracing(part: str, *, exporter: Any = None) -> bool:
    """Trace this process as ``part`` (web, worker) if traces are configured; return whether.

    ``exporter`` takes the place of the collector. Raises TracingNotInstalled.
    """
    if exporter is None and not os.environ.get(ENDPOINT):
        return False
    try:
        sdk = import_module("opentelemetry.sdk.trace")
        export = import_module("opentelemetry.sdk.trace.export")
        resources = import_module("opentelemetry.sdk.resources")
        otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        api = import_module("opentelemetry.trace")
        instruments = [getattr(import_module(m), name)() for m, name in INSTRUMENTS.items()]
    except ImportError as missing:
        raise TracingNotInstalled(f"pip install --group tracing ({missing})") from missing
    name = os.environ.get("OTEL_SERVICE_NAME", f"exchange-{part}")
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": name}))
    provider.add_span_processor(
        export.BatchSpanProcessor(otlp.OTLPSpanExporter())
        if exporter is None
        else export.SimpleSpanProcessor(exporter)
    )
    api.set_tracer_provider(provider)
    for instrument in instruments:
        instrument.instrument(tracer_provider=provider)
    return True
