"""Files of the program itself, in directories that are logs (`guard.log_directories`).

What is written as text takes the way of a log: line by line, with labels in place of values. What
is written as bytes may have a format that counts them: of a value `*` is left, byte for byte.
"""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches
from tacenda.hooks import databases
from tacenda.hooks.guarded import GuardedStream, Writer
from tacenda.hooks.idle import Idler
from tacenda.hooks.swept import Sweep, blank_file

_CHANNEL = "files of the program"
_MLX_CHANNEL = "files that MLX saves"
_MLX_SAVES = ("save", "savez", "savez_compressed", "save_safetensors", "save_gguf")

# So much of what was written last is looked at with what is written next: values come in pieces.
_REMEMBERED = 1 << 12


class Files:
    """The hooks on what opens files."""

    def __init__(self, core: Core, patches: Patches, idler: Idler) -> None:
        self._core = core
        self._patches = patches
        self._idler = idler
        self._open: WeakSet[_TextFile] = WeakSet()
        self._directories: tuple[str, ...] = ()
        self._sweep = Sweep(core, patches)

    def start(self, imports: ImportWatch) -> None:
        """Hooks `open` and the saving functions of MLX, if the policy names a directory."""
        named = self._core.log_directories()
        if not named:
            return
        self._directories = tuple(os.path.join(os.path.realpath(path), "") for path in named)
        original = io.open

        def guarded_open(file: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
            stream: Any = original(file, mode, *args, **more)
            if not isinstance(mode, str) or not set(mode) & set("wax+") or not self.holds(file):
                return stream
            if not isinstance(file, int):
                self._sweep.own(os.fsdecode(file))
            if "b" in mode:
                return _BinaryFile(stream, self._core, self._sweep)
            guarded = _TextFile(Writer(stream, self._core, self._idler.hold), self._sweep)
            self._open.add(guarded)
            return guarded

        self._patches.replace(builtins, "open", guarded_open)
        self._patches.replace(io, "open", guarded_open)
        self._patches.cover(_CHANNEL, "in guard.log_directories")
        self._sweep.start(self._directories, imports)
        databases.start(self._core, self._patches, imports, self.holds)
        self._patches.wait(_MLX_CHANNEL, "mlx.core")
        imports.when("mlx.core", self._hook_mlx)

    def holds(self, file: Any) -> bool:
        """Whether a file lies in one of the directories."""
        try:
            path = os.fsdecode(file)
        except TypeError:  # a descriptor
            return False
        # Of the directory, and of the file if it is a link.
        return os.path.realpath(path).startswith(self._directories)

    def finish(self) -> None:
        """Writes what is held, redacted."""
        for file in list(self._open):
            file.settle()
        self._sweep.finish()

    def settle(self) -> None:
        """Writes what is held and looks at what others have written, and goes on as before."""
        for file in list(self._open):
            file.settle()
        self._sweep.sweep(whole_lines=False)

    def forget(self) -> None:
        """In a child by fork: what is held is the parent's to write."""
        for file in list(self._open):
            file.writer.forget()
        self._sweep.forget()

    def _hook_mlx(self, module: Any) -> None:
        missing = []
        for name in _MLX_SAVES:
            original = getattr(module, name, None)
            if original is None:
                missing.append(name)
            else:
                self._patches.replace(module, name, self._saving(original))
        if missing:
            self._patches.miss(_MLX_CHANNEL, f"mlx.core has no {', '.join(missing)}")
        else:
            self._patches.cover(_MLX_CHANNEL, "in guard.log_directories")

    def _saving(self, original: Any) -> Any:
        def save(file: Any, *args: Any, **arrays: Any) -> Any:
            if not isinstance(file, (str, os.PathLike)) or not self.holds(file):
                return original(file, *args, **arrays)
            directory, name = os.path.split(os.path.abspath(os.fspath(file)))
            # On the same file system, where nobody else looks: C++ writes it as it is.
            private = os.path.join(directory, f".tacenda-{os.urandom(8).hex()}")
            os.mkdir(private, 0o700)
            try:
                result = original(os.path.join(private, name), *args, **arrays)
                # With the extension that MLX may have added.
                for saved in os.listdir(private):
                    path = os.path.join(private, saved)
                    with io.FileIO(path, "r+") as saved_file:
                        blank_file(self._core, saved_file)
                    os.replace(path, os.path.join(directory, saved))
                return result
            finally:
                for left in os.listdir(private):
                    os.unlink(os.path.join(private, left))
                os.rmdir(private)

        save.__name__ = original.__name__
        save.__doc__ = original.__doc__
        save.__wrapped__ = original  # type: ignore[attr-defined]
        return save


class _TextFile(GuardedStream):
    """A text file whose writes go through a writer."""

    def __init__(self, writer: Writer, sweep: Sweep) -> None:
        super().__init__(writer)
        self._sweep = sweep

    def fileno(self) -> int:
        """Its descriptor, for a child process, say, which writes to it as it likes."""
        self.settle()
        self._sweep.shared(getattr(self.writer.stream, "name", None))
        return super().fileno()

    def settle(self) -> None:
        """Writes what is held, redacted."""
        if not self.writer.stream.closed:
            self.writer.finish(closing=False)

    def close(self) -> None:
        """Writes what is held, and closes the file."""
        self.settle()
        self.writer.stream.close()

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        if "writer" in vars(self):  # it was made
            self.close()

    def tell(self) -> int:
        """The place behind all that was written."""
        self.settle()
        return self.writer.stream.tell()

    def seek(self, *place: Any) -> int:
        """Goes elsewhere in the file."""
        self.settle()
        return self.writer.stream.seek(*place)

    def truncate(self, *size: Any) -> int:
        """Cuts the file."""
        self.settle()
        return self.writer.stream.truncate(*size)

    def read(self, *size: Any) -> str:
        """Reads what was written."""
        self.settle()
        return self.writer.stream.read(*size)


class _BinaryFile(io.BufferedIOBase):
    """A binary file in which nothing stands that is sensitive; all the rest is the file's."""

    def __init__(self, inner: Any, core: Core, sweep: Sweep) -> None:
        self._inner = inner
        self._core = core
        self._sweep = sweep
        # What stands before the place in the file: as it was given, and as it was written.
        self._given = self._written = b""

    def write(self, data: Any, /) -> int:
        """Writes bytes, as many as it is given."""
        given = self._given + bytes(memoryview(data))
        clean = self._core.blank(given)
        known = len(self._given)
        count: int = self._inner.write(clean[known:])
        before = clean[:known]
        if before != self._written:
            # What is known no longer, because it has begun too long ago, does not come back.
            pairs = zip(self._given, self._written, before, strict=True)
            before = bytes(new if old == first else old for first, old, new in pairs)
            if before != self._written:
                self._write_again(before, count)
        end = known + count
        start = max(0, end - _REMEMBERED)
        self._given, self._written = given[start:end], (before + clean[known:])[start:end]
        return count

    def _write_again(self, data: bytes, count: int) -> None:
        """Writes once more what was written before the last `count` bytes.

        A value has begun there, which could not be known before it went on.
        """
        # Apart from the file of the program, which may be open to append alone.
        with suppress(OSError, ValueError):
            self._inner.flush()
            at = self._inner.tell() - count - len(data)
            file = os.open(self._inner.name, os.O_WRONLY | os.O_CLOEXEC)
            try:
                # Another one may have its name by now.
                if os.path.sameopenfile(file, self._inner.fileno()):
                    os.pwrite(file, data, at)
                    return
            finally:
                os.close(file)
        self._sweep.shared(self._inner.name)

    def _forget(self) -> None:
        self._given = self._written = b""

    def writelines(self, lines: Any, /) -> None:
        """Writes each of them."""
        for line in lines:
            self.write(line)

    def read(self, *size: Any) -> bytes:
        """Reads like the file."""
        self._forget()
        data: bytes = self._inner.read(*size)
        return data

    def readinto(self, buffer: Any, /) -> int:
        """Reads like the file."""
        self._forget()
        count: int = self._inner.readinto(buffer)
        return count

    def seek(self, *place: Any) -> int:
        """Goes elsewhere in the file."""
        self._forget()
        at: int = self._inner.seek(*place)
        return at

    def tell(self) -> int:
        """The place in the file."""
        at: int = self._inner.tell()
        return at

    def truncate(self, *size: Any) -> int:
        """Cuts the file."""
        self._forget()
        left: int = self._inner.truncate(*size)
        return left

    def flush(self) -> None:
        """Flushes the file."""
        if not self._inner.closed:
            self._inner.flush()

    def close(self) -> None:
        """Closes the file."""
        self._inner.close()

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return bool(self._inner.closed)

    def fileno(self) -> int:
        """Its descriptor, for a child process, say, which writes to it as it likes."""
        self._forget()
        self._sweep.shared(getattr(self._inner, "name", None))
        number: int = self._inner.fileno()
        return number

    def readable(self) -> bool:
        """Whether it may be read."""
        return bool(self._inner.readable())

    def writable(self) -> bool:
        """Whether it may be written."""
        return bool(self._inner.writable())

    def seekable(self) -> bool:
        """Whether it has places to go to."""
        return bool(self._inner.seekable())

    def __iter__(self) -> Iterator[bytes]:
        self._forget()
        return iter(self._inner)

    def __getattr__(self, name: str) -> Any:
        if name == "_inner":  # it is not made yet
            raise AttributeError(name)
        return getattr(self._inner, name)
