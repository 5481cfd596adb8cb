"""Traces: off and free unless configured; their libraries are an optional group.

The libraries are stood in for, since the suite's environment does not have them.
"""

import sys
from types import ModuleType
from unittest.mock import Mock

import pytest

from exchange.config import tracing
from exchange.config.tracing import ENDPOINT, INSTRUMENTS, TracingNotInstalled, start_tracing

LIBRARIES = (
    "opentelemetry.sdk.trace",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk.resources",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.trace",
    *INSTRUMENTS,
)


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mock]:
    """Every library that traces need."""
    there = {name: Mock(name=name) for name in LIBRARIES}
    monkeypatch.setattr(tracing, "import_module", there.__getitem__)
    return there


def test_without_an_address_nothing_starts_and_nothing_is_imported(
    monkeypatch: pytest.MonkeyPatch, libraries: dict[str, Mock]
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert start_tracing("web") is False
    assert not any(library.mock_calls for library in libraries.values())


def test_configured_it_traces_requests_tasks_and_queries(
    monkeypatch: pytest.MonkeyPatch, libraries: dict[str, Mock]
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    assert start_tracing("worker") is True
    named = libraries["opentelemetry.sdk.resources"].Resource.create.call_args.args[0]
    assert named == {"service.name": "exchange-worker"}
    provider = libraries["opentelemetry.sdk.trace"].TracerProvider.return_value
    libraries["opentelemetry.trace"].set_tracer_provider.assert_called_once_with(provider)
    for module, name in INSTRUMENTS.items():
        made = getattr(libraries[module], name).return_value
        made.instrument.assert_called_once_with(tracer_provider=provider)


def test_configured_and_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry", ModuleType("opentelemetry"))
    monkeypatch.delitem(sys.modules, "opentelemetry.sdk.trace", raising=False)
    with pytest.raises(TracingNotInstalled, match="--group tracing"):
        start_tracing("web")
