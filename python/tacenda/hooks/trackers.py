"""Experiment trackers: wandb, mlflow, TensorBoard, swanlab."""

from __future__ import annotations

from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda.hooks.values import Scrubber


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks each library when it is imported: where all of its records pass."""
    hooks = _Trackers(core, patches)
    hook_imports(
        patches,
        imports,
        ("wandb records", "wandb.sdk.interface.interface_sock", hooks.wandb),
        ("wandb tables", "wandb.sdk.data_types.table", hooks.wandb_tables),
        ("wandb pages", "wandb.sdk.data_types.html", hooks.wandb_pages),
        ("TensorBoard events", "tensorboard.summary.writer.event_file_writer", hooks.events),
        ("tensorboardX events", "tensorboardX.event_file_writer", hooks.events),
        ("mlflow runs", "mlflow.tracking.client", hooks.mlflow),
        ("mlflow traces", "mlflow.entities.span", hooks.mlflow_traces),
        ("swanlab runs", "swanlab.sdk.cmd.init", hooks.swanlab_runs),
        ("swanlab texts", "swanlab.sdk.internal.run.transforms.text", hooks.swanlab_texts),
    )


class _Trackers:
    def __init__(self, core: Core, patches: Patches) -> None:
        self._patches = patches
        self._clean = Scrubber(core).shielded

    def _cleaning(self, owner: Any, name: str) -> None:
        """Has a function get clean arguments."""
        clean = self._clean
        original = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            # Objects of the tracker itself stay: only values are cleaned.
            args = tuple(clean(arg) if _is_value(arg) else arg for arg in args)
            return original(
                *args, **{key: clean(v) if _is_value(v) else v for key, v in kwargs.items()}
            )

        self._patches.replace(owner, name, call)

    def wandb(self, module: Any) -> None:
        """Everything that goes to wandb's service: configuration, metrics, console, argv."""
        message = self._message
        original = module.InterfaceSock._assign

        def assign(self: Any, record: Any) -> None:
            try:
                message(record)
            except Exception:
                record.Clear()
            original(self, record)

        self._patches.replace(module.InterfaceSock, "_assign", assign)

    def wandb_tables(self, module: Any) -> None:
        """Tables, as they become files. The application keeps what it has put into them."""
        clean = self._clean
        original = module.Table._to_table_json

        def to_table_json(self: Any, *args: Any, **kwargs: Any) -> Any:
            return clean(original(self, *args, **kwargs))

        self._patches.replace(module.Table, "_to_table_json", to_table_json)

    def wandb_pages(self, module: Any) -> None:
        """HTML that becomes a file."""
        self._cleaning(module.Html, "__init__")

    def events(self, module: Any) -> None:
        """Each event before it is written into its file."""
        message = self._message
        original = module.EventFileWriter.add_event

        def add_event(self: Any, event: Any) -> None:
            try:
                message(event)
            except Exception:
                return
            original(self, event)

        self._patches.replace(module.EventFileWriter, "add_event", add_event)

    def mlflow(self, module: Any) -> None:
        """What is written to the store. What is read from it is the application's."""
        client = module.MlflowClient
        for name in (
            "create_experiment",
            "create_run",
            "log_dict",
            "log_param",
            "log_table",
            "log_text",
            "set_experiment_tag",
            "set_tag",
            "update_run",
        ):
            self._cleaning(client, name)
        clean = self._clean
        original = client.log_batch

        def log_batch(
            self: Any, run_id: str, metrics: Any = (), params: Any = (), tags: Any = (), **more: Any
        ) -> Any:
            params = [type(each)(each.key, clean(each.value)) for each in params]
            tags = [type(each)(each.key, clean(each.value)) for each in tags]
            return original(self, run_id, metrics, params, tags, **more)

        self._patches.replace(client, "log_batch", log_batch)

    def mlflow_traces(self, module: Any) -> None:
        """Inputs, outputs and attributes of spans, which are JSON; events and errors."""
        import json  # costs milliseconds, which a program without mlflow need not pay

        clean = self._clean
        dump = module.dump_span_attribute_value
        span = module.LiveSpan
        original_event, original_status = span.add_event, span.set_status

        def clean_dump(value: Any) -> Any:
            return json.dumps(clean(json.loads(dump(value))), ensure_ascii=False)

        def add_event(self: Any, event: Any) -> Any:
            attributes = clean(dict(event.attributes or {}))
            return original_event(self, type(event)(event.name, event.timestamp, attributes))

        def set_status(self: Any, status: Any) -> Any:
            if not isinstance(status, str):
                status = type(status)(status.status_code, clean(status.description))
            return original_status(self, status)

        self._patches.replace(module, "dump_span_attribute_value", clean_dump)
        self._patches.replace(span, "add_event", add_event)
        self._patches.replace(span, "set_status", set_status)

    def swanlab_runs(self, module: Any) -> None:
        """The configuration of a run."""
        self._cleaning(module, "init")

    def swanlab_texts(self, module: Any) -> None:
        """Texts that become files."""
        self._cleaning(module.Text, "__init__")

    def _message(self, message: Any) -> None:
        """Cleans the text in a Protocol Buffers message, in place."""
        for field, value in message.ListFields():
            repeated = hasattr(value, "append") or hasattr(value, "add")
            if field.type == field.TYPE_MESSAGE:
                if field.message_type.GetOptions().map_entry:
                    self._map(field, value)
                else:
                    for member in value if repeated else (value,):
                        self._message(member)
            elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
                if repeated:
                    value[:] = [self._text(item) for item in value]
                else:
                    clean = self._text(value)
                    if clean is not value:
                        setattr(message, field.name, clean)

    def _map(self, field: Any, members: Any) -> None:
        of = field.message_type.fields_by_name["value"]
        for key in list(members):
            if of.type == of.TYPE_MESSAGE:
                self._message(members[key])
            elif of.type in (of.TYPE_STRING, of.TYPE_BYTES):
                members[key] = self._text(members[key])

    def _text(self, value: str | bytes) -> Any:
        if isinstance(value, bytes):
            try:
                text = value.decode()
            except UnicodeDecodeError:  # an image, a tensor: no text
                return value
            clean = self._clean(text)
            return value if clean is text else clean.encode()
        return self._clean(value)


def _is_value(value: Any) -> bool:
    return isinstance(value, (str, bytes, dict, list, tuple))
