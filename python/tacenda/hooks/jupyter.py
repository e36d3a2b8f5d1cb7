"""Jupyter kernels and IPython: what cells show, and what is kept of what was typed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda.hooks.guarded import Writer
from tacenda.hooks.streams import Streams
from tacenda.hooks.values import Scrubber

# Messages of a kernel that show values. `stream` is cleaned as it is written.
_SHOWN = frozenset(
    {
        "display_data",
        "error",
        "execute_reply",
        "execute_result",
        "input_request",
        "inspect_reply",
        "update_display_data",
    }
)
# Messages of widgets, which show their state, and of what else a program talks with in a browser.
_COMMS = frozenset({"comm_close", "comm_msg", "comm_open"})
# Data of these types is no text.
_BINARY = ("image/", "audio/", "video/", "application/pdf")


def start(core: Core, patches: Patches, imports: ImportWatch, streams: Streams) -> None:
    """Hooks the output of kernels when ipykernel is imported, and the history of IPython."""
    hooks = _Jupyter(core, patches, streams)
    hook_imports(
        patches,
        imports,
        ("Jupyter streams", "ipykernel.iostream", hooks.streams),
        ("Jupyter messages", "jupyter_client.session", hooks.messages),
        ("IPython history", "IPython.core.history", hooks.history),
        ("IPython log", "IPython.core.logger", hooks.log),
    )


class _OutStream:
    """What a writer writes to: a stream of a kernel, by its own methods."""

    # Nobody flushes it: what was written is seen soon.
    write_through = True

    def __init__(self, stream: Any, write: Any) -> None:
        self._stream = stream
        self._write = write

    def write(self, text: str) -> Any:
        return self._write(self._stream, text)

    def flush(self) -> None:
        with suppress(Exception):  # the kernel is at its end
            self._stream.flush()


class _Jupyter:
    def __init__(self, core: Core, patches: Patches, streams: Streams) -> None:
        self._patches = patches
        self._streams = streams
        self._clean = Scrubber(core).shielded
        self._protected = Scrubber(core).protected
        self._line = Scrubber(core).line

    def streams(self, module: Any) -> None:
        """Standard output and error of the cells."""
        original = module.OutStream.write
        attribute = "_tacenda_writer"

        def write(stream: Any, string: str) -> int:
            if not isinstance(string, str):
                original(stream, string)  # it says what is wrong
            writer: Writer | None = vars(stream).get(attribute)
            if writer is None:
                writer = self._streams.adopt(_OutStream(stream, original))
                setattr(stream, attribute, writer)
            return writer.write(string)

        self._patches.replace(module.OutStream, "write", write)

    def messages(self, module: Any) -> None:
        """Results, displayed data, errors."""
        original = module.Session.send

        def send(
            session: Any, stream: Any, message: Any, content: Any = None, *args: Any, **more: Any
        ) -> Any:
            kind = message.get("msg_type") if isinstance(message, dict) else message
            if kind in _SHOWN:
                # What was printed before comes before.
                self._streams.settle_adopted()
                if isinstance(message, dict):
                    message = {**message, "content": self._content(message.get("content"))}
                else:
                    content = self._content(content)
            elif kind in _COMMS:
                if isinstance(message, dict):
                    message = {**message, "content": self._comm(message.get("content"))}
                else:
                    content = self._comm(content)
            return original(session, stream, message, content, *args, **more)

        self._patches.replace(module.Session, "send", send)

    def history(self, module: Any) -> None:
        """The file with the code of the cells and, if asked for, their results."""
        manager = module.HistoryManager
        clean = self._clean

        def hook(name: str, cache: str) -> None:
            original = getattr(manager, name)

            def write_out(history: Any, *args: Any) -> Any:
                rows = getattr(history, cache)
                setattr(history, cache, [(row[0], *map(clean, row[1:])) for row in rows])
                return original(history, *args)

            self._patches.replace(manager, name, write_out)

        hook("_writeout_input_cache", "db_input_cache")
        hook("_writeout_output_cache", "db_output_cache")

    def log(self, module: Any) -> None:
        """The file of `%logstart`."""
        original = module.Logger.log_write
        line = self._line

        def log_write(logger: Any, data: str, *args: Any, **more: Any) -> Any:
            return original(logger, line(data), *args, **more)

        self._patches.replace(module.Logger, "log_write", log_write)

    def _comm(self, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        data = content.get("data")
        if isinstance(data, dict) and isinstance(data.get("state"), dict):
            data = {**data, "state": self._clean(data["state"])}
        # The rest is a protocol of the program's own: what detectors take for a value stays.
        return {**content, "data": self._protected(data)} if data else content

    def _content(self, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        data = content.get("data")
        if not isinstance(data, dict):
            return self._clean(content)
        shown = {
            kind: value
            if kind.startswith(_BINARY) and not kind.startswith("image/svg")
            else self._clean(value)
            for kind, value in data.items()
        }
        rest = self._clean({key: value for key, value in content.items() if key != "data"})
        return {**rest, "data": shown} if isinstance(rest, dict) else rest
