"""Experiment trackers: wandb, mlflow, TensorBoard, swanlab."""

from __future__ import annotations

import os
from copy import copy
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
        ("wandb arguments", "wandb.sdk.lib.service.service_connection", hooks.wandb_arguments),
        ("wandb tables", "wandb.sdk.data_types.table", hooks.wandb_tables),
        ("wandb pages", "wandb.sdk.data_types.html", hooks.wandb_pages),
        ("TensorBoard events", "tensorboard.summary.writer.event_file_writer", hooks.events),
        ("tensorboardX events", "tensorboardX.event_file_writer", hooks.events),
        ("mlflow runs", "mlflow.tracking.client", hooks.mlflow),
        ("mlflow traces", "mlflow.entities.span", hooks.mlflow_traces),
        ("mlflow tags and assessments of traces", "mlflow.tracing.client", hooks.mlflow_tags),
        ("swanlab runs", "swanlab.sdk.cmd.init", hooks.swanlab_runs),
        (
            "swanlab configurations",
            "swanlab.sdk.internal.run.components.config.writer",
            hooks.swanlab_configurations,
        ),
        (
            "swanlab arguments",
            "swanlab.sdk.internal.probe_python.environment.runtime",
            hooks.swanlab_arguments,
        ),
        ("swanlab console", "swanlab.sdk.internal.run.components.terminal", hooks.swanlab_console),
        ("swanlab texts", "swanlab.sdk.internal.run.transforms.text", hooks.swanlab_texts),
    )


# Bytes that text has none of.
_CONTROLS = bytes({*range(0x20)} - set(b"\t\n\r\x1b"))

# How pictures begin, in which nothing is text: PNG, JPEG, GIF, WebP.
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")


class _Trackers:
    def __init__(self, core: Core, patches: Patches) -> None:
        self._patches = patches
        self._clean = Scrubber(core).shielded
        self._blank = core.blank

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

    def _returning(self, owner: Any, name: str) -> None:
        """Has a function return what is clean."""
        clean = self._clean
        original = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return clean(original(*args, **kwargs))

        self._patches.replace(owner, name, call)

    def wandb(self, module: Any) -> None:
        """What goes to wandb's service of a run: configuration, metrics, console."""
        message = self._message
        original = module.InterfaceSock._assign

        def assign(self: Any, record: Any) -> None:
            try:
                message(record)
            except Exception:
                record.Clear()
            original(self, record)

        self._patches.replace(module.InterfaceSock, "_assign", assign)

    def wandb_arguments(self, module: Any) -> None:
        """The arguments of the command line, which wandb's service is told at the start."""
        arguments = self._arguments
        original = module.ServiceConnection.inform_init

        def inform_init(self: Any, settings: Any, *args: Any, **more: Any) -> Any:
            if hasattr(settings, "_args"):
                given, settings = settings, type(settings)()
                settings.CopyFrom(given)
                settings._args.value[:] = arguments(list(given._args.value))
            return original(self, settings, *args, **more)

        self._patches.replace(module.ServiceConnection, "inform_init", inform_init)

    def wandb_tables(self, module: Any) -> None:
        """Tables, as they become files. The application keeps what it has put into them."""
        # Rows and the names of columns; the types of columns, by their names.
        for name in ("_to_table_json", "to_json"):
            self._returning(module.Table, name)

    def wandb_pages(self, module: Any) -> None:
        """HTML that becomes a file, or is one."""
        clean = self._clean
        original = module.Html.__init__

        def init(
            self: Any, data: Any, inject: bool = True, data_is_not_path: bool = False, **more: Any
        ) -> None:
            text = _page(data, data_is_not_path)
            if text is not None:
                page = clean(text)
                if page != text or not isinstance(data, (str, os.PathLike)):
                    data, data_is_not_path = page, True
            original(self, data, inject, data_is_not_path, **more)

        self._patches.replace(module.Html, "__init__", init)

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
            "create_registered_model",
            "create_run",
            "log_dict",
            "log_param",
            "log_table",
            "log_text",
            "set_experiment_tag",
            "set_model_version_tag",
            "set_registered_model_tag",
            "set_tag",
            "update_model_version",
            "update_registered_model",
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

    def mlflow_tags(self, module: Any) -> None:
        """What stands beside the spans of a trace: tags, metadata, feedback, expectations."""
        clean = self._clean
        client = module.TracingClient
        original_start, original_assessment = client.start_trace, client.log_assessment

        def assessed(assessment: Any) -> Any:
            assessment = copy(assessment)
            assessment.rationale = clean(assessment.rationale)
            assessment.metadata = clean(assessment.metadata)
            for name in ("feedback", "expectation"):
                held = copy(getattr(assessment, name, None))
                if held is not None:
                    held.value = clean(held.value) if _is_value(held.value) else held.value
                    setattr(assessment, name, held)
            return assessment

        def start_trace(self: Any, trace_info: Any) -> Any:
            trace_info = copy(trace_info)
            trace_info.tags = clean(dict(trace_info.tags))
            trace_info.trace_metadata = clean(dict(trace_info.trace_metadata))
            trace_info.assessments = [assessed(each) for each in trace_info.assessments]
            return original_start(self, trace_info)

        def log_assessment(self: Any, trace_id: Any, assessment: Any) -> Any:
            return original_assessment(self, trace_id, assessed(assessment))

        self._patches.replace(client, "start_trace", start_trace)
        self._patches.replace(client, "log_assessment", log_assessment)
        self._cleaning(client, "set_trace_tag")

    def swanlab_runs(self, module: Any) -> None:
        """The configuration of a run."""
        self._cleaning(module, "init")

    def swanlab_configurations(self, module: Any) -> None:
        """The configuration, as it becomes a file and is sent, whenever it was set."""
        self._cleaning(module, "format_config")

    def swanlab_arguments(self, module: Any) -> None:
        """The command line."""
        self._returning(module, "get_command")

    def swanlab_console(self, module: Any) -> None:
        """Lines of the console, which it takes before our streams have them."""
        self._cleaning(module.TerminalProxy, "_emit_line")

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
        if isinstance(value, str):
            return self._clean(value)
        if value.startswith(_PICTURES):
            return value
        if value.translate(None, _CONTROLS) != value:
            # A message inside of this one, say, which counts its bytes.
            return self._blank(value)
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return self._blank(value)
        clean = self._clean(text)
        return value if clean is text else clean.encode()

    def _arguments(self, arguments: list[str]) -> list[str]:
        """The arguments of a command line, clean; what an option says of the next one is heard."""
        cleaned: list[str] = []
        option = ""
        for argument in arguments:
            told = f"{option} {argument}" if option else argument
            clean = self._clean(told)
            cleaned.append(clean.removeprefix(f"{option} ") if option else clean)
            option = argument if argument.startswith("-") and "=" not in argument else ""
        return cleaned


def _page(data: Any, is_text: bool) -> str | None:
    """The text of a page that is text, a path, or a file to read from; None for anything else."""
    if hasattr(data, "read"):
        if hasattr(data, "seek"):
            data.seek(0)
        text = data.read()
        return text if isinstance(text, str) else None
    if not isinstance(data, (str, os.PathLike)):
        return None
    path = str(data)
    if is_text or not path.endswith(".html") or not os.path.isfile(path):
        return path
    with open(path, encoding="utf-8") as file:
        return file.read()


def _is_value(value: Any) -> bool:
    return isinstance(value, (str, bytes, dict, list, tuple))
