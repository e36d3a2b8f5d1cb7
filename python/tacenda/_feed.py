"""Hands lines to a process that seals them, and to another one when that ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import deque
from pathlib import Path

from tacenda._command import native_command

# What the sinks of a log have as well: `sinks.queue`, `sinks.wait`, and the pauses between tries.
QUEUE = 4 << 20
WAIT = 5.0
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0

# How long a process may keep silent at the end, in seconds. It waits for a minute itself, for
# another one that owns the journal.
SEALING = 65.0

# Above so many bytes that wait, whoever adds some looks first which of them are written.
SOME = 1 << 18

FULL = "too many records wait for it"


class Feed:
    """Lines on their way into a journal.

    A line is kept until the process says that it is written. When the process ends, because the
    disk is full or somebody has killed it, another one is started, after a pause that grows, and is
    given what was not written. What is kept has a bound: who would exceed it waits for as long as
    something is written, and once nothing was for `WAIT` seconds, lines are dropped and counted
    until half of it is free again.
    """

    def __init__(self, path: str, class_: str) -> None:
        """Starts the process, and waits until it has opened the journal.

        Raises:
            OSError: It could not; the text says why.
        """
        command = native_command()
        if command is None:
            raise FileNotFoundError("the command `tacenda` is not beside this package")
        journal = str(Path(path).absolute())
        self._command = [command, "journal", "append", journal, "--class", class_, "--ready"]
        # Another process finds the same policy, wherever the program has gone meanwhile.
        self._folder = _folder()
        self._environment = dict(os.environ)
        self._closing = False
        self._reset()
        self._begin(_Process(self._command, self._folder, self._environment))
        FEEDS.add(self)

    def _reset(self) -> None:
        self.lost = 0
        # Whoever uses what follows holds it.
        self._changed = threading.Condition()
        self._process: _Process | None = None
        self._thread: threading.Thread | None = None
        self._wake = self._waker = -1
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        # Of what waits the process was given so many lines, and so many bytes of the next.
        self._given = self._offset = 0
        # It has written so many bytes of the first of them.
        self._written = 0
        # Since when somebody waits in vain, and since when nothing is written for a failure.
        self._stuck: float | None = None
        self._failing: float | None = None
        self._trouble: str | None = None
        self._lost_why = ""
        self._busy = self._dropping = self._told = self._ended = False

    def _begin(self, process: _Process | None) -> None:
        self._process = process
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        self._thread = threading.Thread(target=self._serve, name="tacenda-journal", daemon=True)
        self._thread.start()

    def _forked(self) -> None:
        """In a child of the program: what waits is its parent's."""
        if self._process is not None:
            self._process.forget()
        for end in (self._wake, self._waker):
            if end != -1:
                os.close(end)
        self._reset()

    def refuse(self, place: str) -> None:
        """Counts a record that cannot be written down, of this place in a program."""
        with self._changed:
            self._lose(f"a record of {place} cannot be written down")

    def take(self, line: bytes) -> None:
        """Takes a line with its end.

        When this returns a process has it, if there is one and it reads: it is written also when
        the program is killed.
        """
        with self._changed:
            if self._closing:
                self._lose("the handler was closed")
            elif self._busy:
                # A signal or a finalizer that logs, in the midst of this.
                self._put(line)
            else:
                self._busy = True
                try:
                    self._take(line)
                finally:
                    self._busy = False

    def _take(self, line: bytes) -> None:
        if self._thread is None:
            # A child of the program has a process of its own.
            process, trouble = self._start()
            self._begin(process)
            _say(trouble)
        self._dropping = self._dropping and self._bytes > QUEUE // 2
        if self._dropping:
            self._lose(self._trouble or FULL)
            return
        self._put(line)
        if self._bytes > SOME:
            self._hear()
        self._give()
        while self._bytes >= QUEUE or self._can_give():
            if not self._wait():
                self._dropping = self._bytes >= QUEUE
                # What is not given yet is left to the thread.
                self._rouse()
                return

    def close(self) -> None:
        """Waits until everything is written and sealed, or until that takes too long."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            if self._thread is None:
                return
            self._rouse()
            self._changed.notify_all()
            begun, self._stuck = time.monotonic(), None
            while not self._ended:
                now = time.monotonic()
                if self._failing is not None:
                    until = max(begun, self._failing) + WAIT
                else:
                    self._stuck = self._stuck or now
                    until = self._stuck + SEALING
                if until <= now:
                    break
                self._changed.wait(until - now)
            self._ended = True
            if self._waiting:
                self.lost += len(self._waiting)
                self._lost_why = self._trouble or "it took too long"
                self._waiting.clear()
            self._rouse()
            self._changed.notify_all()
        if self.lost:
            records = "1 record" if self.lost == 1 else f"{self.lost} records"
            _say(f"tacenda: the journal has lost {records}: {self._lost_why}\n")

    # Who calls what follows holds `_changed`, but for `_start` and `_serve`.

    def _put(self, line: bytes) -> None:
        self._waiting.append(line)
        self._bytes += len(line)

    def _lose(self, why: str) -> None:
        self.lost += 1
        self._lost_why = why
        if not self._told:
            self._told = True
            _say(f"tacenda: the journal loses records: {why}\n")

    def _can_give(self) -> bool:
        process = self._process
        return process is not None and not process.gone and self._given < len(self._waiting)

    def _give(self) -> None:
        """Gives the process what it takes."""
        process = self._process
        while process is not None and self._can_give():
            line = self._waiting[self._given]
            count = process.write(line[self._offset :] if self._offset else line)
            if count == 0:
                return
            if self._failing is None:
                self._stuck = None
            self._offset += count
            if self._offset == len(line):
                self._given, self._offset = self._given + 1, 0

    def _hear(self) -> None:
        """Hears what is written: it need not be kept."""
        count = self._process.written() if self._process is not None else 0
        if count == 0:
            return
        self._written += count
        while self._waiting and len(self._waiting[0]) <= self._written:
            line = self._waiting.popleft()
            self._written -= len(line)
            self._bytes -= len(line)
            self._given -= 1
        self._stuck = self._failing = None
        if not self._waiting:
            self._trouble = None
        self._changed.notify_all()

    def _wait(self) -> bool:
        """Waits until something moves; false when nothing has for too long."""
        now = time.monotonic()
        self._stuck = self._stuck or now
        left = self._stuck + WAIT - now
        if left <= 0:
            return False
        if self._process is None or self._process.gone:
            self._changed.wait(left)
        else:
            self._process.poll(left, self._can_give())
            self._hear()
            self._give()
        return True

    def _rouse(self) -> None:
        """Has the thread look."""
        # It may have been roused before, and not have looked yet.
        if self._waker != -1:
            with contextlib.suppress(BlockingIOError):
                os.write(self._waker, b"\0")

    def _fail(self, why: str) -> str | None:
        """Notes why nothing is written; what there is to say of it."""
        first = self._trouble is None and not self._closing
        self._failing = self._failing or time.monotonic()
        self._trouble = why
        return f"tacenda: the journal takes no records for now: {why}\n" if first else None

    def _start(self) -> tuple[_Process | None, str | None]:
        try:
            return _Process(self._command, self._folder, self._environment), None
        except Exception as error:  # there is no memory, the interpreter ends …
            with self._changed:
                lines = str(error).splitlines()
                return None, self._fail(lines[0] if lines else type(error).__name__)

    def _serve(self) -> None:
        """What the thread does: it hears what is written, and starts another process."""
        pause = FIRST_PAUSE
        while True:
            with self._changed:
                if self._failing is None:
                    pause = FIRST_PAUSE
                process = self._process
                if process is None:
                    # At the end tries follow one another quickly.
                    self._changed.wait_for(lambda: self._closing, pause)
                    if self._closing:
                        self._changed.wait_for(lambda: self._ended, FIRST_PAUSE)
                    pause = min(pause * 2, LONGEST_PAUSE)
                elif self._closing and self._given == len(self._waiting):
                    process.end()
                if self._ended or (process is None and self._closing and not self._waiting):
                    break
                gives = self._can_give()
            if process is None:
                started, trouble = self._start()
                with self._changed:
                    self._process = started
                    self._give()
                    self._changed.notify_all()
            else:
                process.poll(None, gives, self._wake)
                trouble = self._look(process)
            # Where standard error is a log that comes here, nobody may be kept from it.
            _say(trouble)
        with self._changed:
            self._ended = True
            if process is not None:
                process.end()
            os.close(self._wake)
            os.close(self._waker)
            self._wake = self._waker = -1
            self._changed.notify_all()

    def _look(self, process: _Process) -> str | None:
        """After something has happened to the process; what there is to say of it."""
        with self._changed:
            self._hear()
            self._give()
            if not process.gone:
                return None
            why = process.bury()
            self._process = None
            self._given = self._offset = self._written = 0
            self._changed.notify_all()
            if not self._closing or self._waiting:
                return self._fail(why or "its process has ended")
            sealed = "tacenda: the journal was not sealed; it is when it is opened\n"
            return sealed if why is not None else None


class _Process:
    """A process that seals what it reads, and says how much is written."""

    def __init__(self, command: list[str], folder: str | None, environment: dict[str, str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, and no shell
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=folder,
                env=environment,
                # The end of the application's terminal or session is no end of the journal.
                start_new_session=True,
                # A file that is too large is an error, and no end: as in the program itself.
                restore_signals=False,
            )
        except BaseException:
            self._errors.close()
            raise
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self.gone = False
        self._rest = b""
        self._total = 0
        while not self.gone and b"\n" not in self._rest:
            self._read()
        if self.gone:
            raise OSError(self.bury(whole=True) or "its process has ended")
        os.set_blocking(self._to.fileno(), False)
        os.set_blocking(self._from.fileno(), False)

    def _read(self) -> None:
        try:
            said = os.read(self._from.fileno(), 1 << 16)
        except BlockingIOError:
            return
        self._rest += said
        self.gone = not said

    def written(self) -> int:
        """How many bytes it has written since this was asked."""
        self._read()
        *numbers, self._rest = self._rest.split(b"\n")
        before = self._total
        if numbers:
            self._total = int(numbers[-1])
        return self._total - before

    def write(self, data: bytes) -> int:
        """Gives it as much of this as it takes now."""
        try:
            return os.write(self._to.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError:
            self.gone = True
            return 0

    def poll(self, timeout: float | None, gives: bool, wake: int = -1) -> None:
        """Waits until it says or takes something, or somebody wakes the one who waits."""
        poll = select.poll()
        poll.register(self._from.fileno(), select.POLLIN)
        if gives:
            poll.register(self._to.fileno(), select.POLLOUT)
        if wake != -1:
            poll.register(wake, select.POLLIN)
        poll.poll(None if timeout is None else timeout * 1000)
        if wake != -1:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)

    def end(self) -> None:
        """Nothing more is given."""
        self._to.close()

    def bury(self, whole: bool = False) -> str | None:
        """Waits for its end; why it has failed, in one line or as it says it."""
        self._to.close()
        self._from.close()
        status = self._process.wait()
        with self._errors as errors:
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        if status == 0:
            return None
        _, found, text = f"\n{said}".rpartition("\nerror: ")
        if found:
            return text.strip() if whole else text.splitlines()[0]
        if status < 0:
            return f"its process was ended by {_name(-status)}"
        return f"its process has ended with status {status}"

    def forget(self) -> None:
        """In a child of the program, of which it is no child."""
        self._to.close()
        self._from.close()
        self._errors.close()
        self._process.returncode = 0


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:
        return None


def _say(text: str | None) -> None:
    try:
        if text is not None and sys.stderr is not None:
            sys.stderr.write(text)
    except Exception:  # noqa: S110 - there is nobody else to tell
        pass


FEEDS: weakref.WeakSet[Feed] = weakref.WeakSet()


def _forked() -> None:
    for feed in list(FEEDS):
        feed._forked()


os.register_at_fork(after_in_child=_forked)
