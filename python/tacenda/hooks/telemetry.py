"""Telemetry: Sentry's envelopes, OpenTelemetry's spans, metrics, resources and log records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from tacenda._core import MARKER, Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda.hooks.values import Scrubber


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks each library when it is imported: the last place before an exporter has the data."""
    hooks = _Telemetry(core, patches)
    hook_imports(
        patches,
        imports,
        ("Sentry envelopes", "sentry_sdk.envelope", hooks.sentry),
        ("OpenTelemetry spans", "opentelemetry.sdk.trace", hooks.spans),
        ("OpenTelemetry resources", "opentelemetry.sdk.resources", hooks.resources),
        ("OpenTelemetry metrics", "opentelemetry.sdk.metrics._internal.point", hooks.metrics),
        (
            "OpenTelemetry exemplars",
            "opentelemetry.sdk.metrics._internal.exemplar.exemplar",
            hooks.exemplars,
        ),
        ("OpenTelemetry scopes", "opentelemetry.sdk.util.instrumentation", hooks.scopes),
        ("OpenTelemetry log records", "opentelemetry.sdk._logs._internal", hooks.log_records),
    )


class _Telemetry:
    def __init__(self, core: Core, patches: Patches) -> None:
        self._patches = patches
        self._clean = Scrubber(core).shielded

    def sentry(self, module: Any) -> None:
        """Every item of an envelope: events, transactions, logs, sessions, attachments.

        And its headers, which name the transaction.
        """
        clean = self._clean
        original_envelope = module.Envelope.__init__

        def envelope(self: Any, headers: Any = None, items: Any = None) -> None:
            original_envelope(self, clean(headers), items)

        self._patches.replace(module.Envelope, "__init__", envelope)
        original = module.PayloadRef.__init__

        def clean_text(data: Any) -> Any:
            is_text = isinstance(data, (bytes, bytearray)) and _is_text(data)
            return clean(data) if is_text else data

        def init(self: Any, bytes: Any = None, path: Any = None, json: Any = None) -> None:
            original(self, bytes=clean_text(bytes), path=path, json=clean(json))

        original_bytes = module.PayloadRef.get_bytes

        def get_bytes(self: Any) -> Any:
            data = original_bytes(self)
            # What was given as bytes or JSON is clean already.
            return data if self.path is None else clean_text(data)

        self._patches.replace(module.PayloadRef, "__init__", init)
        self._patches.replace(module.PayloadRef, "get_bytes", get_bytes)

    def spans(self, module: Any) -> None:
        """What processors see of a span from its start on, and exporters get when it ends."""
        clean = self._clean
        span = module.Span
        for method, *names in (
            ("__init__", "name", "attributes"),
            ("set_attributes", "attributes"),
            ("add_event", "name", "attributes"),
            ("update_name", "name"),
            ("set_status", "status", "description"),
        ):
            # Some of them are decorated, and do not tell their arguments.
            for place, name in enumerate(names):
                self._clean_argument(span, name, method, None if method == "__init__" else place)
        self._clean_argument(module.trace_api.Link, "attributes")
        original_set, original_status = span.set_attribute, span.set_status

        def set_attribute(self: Any, key: Any, value: Any) -> None:
            for clean_key, clean_value in _cleaned({key: value}, clean).items():
                original_set(self, clean_key, clean_value)

        def set_status(self: Any, status: Any, *rest: Any, **more: Any) -> None:
            description = getattr(status, "description", None)
            if description is not None:
                status = type(status)(status.status_code, clean(description))
            original_status(self, status, *rest, **more)

        self._patches.replace(span, "set_attribute", set_attribute)
        self._patches.replace(span, "set_status", set_status)
        original = module.Span._readable_span

        def readable_span(self: Any) -> Any:
            span = original(self)
            name, attributes, events, status = span.name, span.attributes, span.events, span.status
            links = span.links
            # What cannot be cleaned is not exported.
            span._name, span._attributes, span._events, span._links = MARKER, {}, (), ()
            span._status = type(status)(status.status_code)
            try:
                span._name = clean(name)
                span._attributes = clean(dict(attributes or {}))
                span._events = tuple(
                    type(event)(
                        clean(event.name), clean(dict(event.attributes or {})), event.timestamp
                    )
                    for event in events
                )
                span._links = tuple(
                    type(link)(link.context, clean(dict(link.attributes or {}))) for link in links
                )
                if status.description is not None:
                    span._status = type(status)(status.status_code, clean(status.description))
            except Exception:
                return span
            return span

        self._patches.replace(module.Span, "_readable_span", readable_span)

    def resources(self, module: Any) -> None:
        """What all spans, records and metrics of a process say of it."""
        self._clean_argument(module.Resource, "attributes")

    def metrics(self, module: Any) -> None:
        """What exporters get of a metric: the attributes of its points, and what describes it."""
        for name in ("NumberDataPoint", "HistogramDataPoint", "ExponentialHistogramDataPoint"):
            self._clean_argument(getattr(module, name), "attributes")
        self._clean_argument(module.Metric, "description")

    def scopes(self, module: Any) -> None:
        """What a tracer, a meter or a logger says of itself."""
        self._clean_argument(module.InstrumentationScope, "attributes")

    def exemplars(self, module: Any) -> None:
        """Single measurements that stand beside a point."""
        self._clean_argument(module.Exemplar, "filtered_attributes")

    def _clean_argument(
        self, cls: Any, name: str, method: str = "__init__", place: int | None = None
    ) -> None:
        """Cleans an argument of a method, of what makes the object if none is named.

        It is text, or attributes; anything else is passed on. `place`: where it stands, if the
        method does not tell.
        """
        from inspect import signature  # costs milliseconds, which only telemetry has to pay

        clean = self._clean
        original = getattr(cls, method)
        # `self` is not among them.
        at = list(signature(original).parameters).index(name) - 1 if place is None else place

        @functools.wraps(original)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if at < len(args):
                args = (*args[:at], _cleaned(args[at], clean), *args[at + 1 :])
            elif name in kwargs:
                kwargs[name] = _cleaned(kwargs[name], clean)
            return original(self, *args, **kwargs)

        self._patches.replace(cls, method, call)

    def log_records(self, module: Any) -> None:
        """Records of its own API; those of `logging` are clean already."""
        clean = self._clean
        for name in ("SynchronousMultiLogRecordProcessor", "ConcurrentMultiLogRecordProcessor"):
            processor = getattr(module, name)
            original = processor.on_emit

            def on_emit(self: Any, data: Any, _original: Any = original) -> None:
                record = data.log_record
                try:
                    record.body, record.attributes = (
                        clean(record.body),
                        clean(dict(record.attributes or {})),
                    )
                    for name in ("event_name", "severity_text"):
                        if getattr(record, name, None):
                            setattr(record, name, clean(getattr(record, name)))
                except Exception:
                    record.body, record.attributes = MARKER, {}
                _original(self, data)

            self._patches.replace(processor, "on_emit", on_emit)


def _cleaned(value: Any, clean: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        attributes = clean(dict(value))
        # What cannot be cleaned is left out.
        return attributes if isinstance(attributes, dict) else {}
    return clean(value) if isinstance(value, str) else value


def _is_text(data: bytes | bytearray) -> bool:
    """An image or an archive is none, and would break."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
