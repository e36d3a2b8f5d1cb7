"""One thread that looks after what is held back for a moment."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tacenda.hooks.guarded import Writer

# A line that has begun is let go after this many seconds without more of it.
HOLD = 0.05

# For so long after something was held the thread looks by itself, each `HOLD` seconds: waking it
# costs whoever writes more than that, and who holds once does so again soon.
AWAKE = 1.0


class Idler:
    """Lets go of held text when nothing more comes. Its thread starts with the first need."""

    def __init__(self) -> None:
        self._period = 1.0
        self._task: Callable[[], bool] | None = None
        self._stopped = False
        self._main = threading.main_thread()
        self.forget()

    def forget(self) -> None:
        """Starts anew: a fork copies all but the thread, and a lock that one held stays locked."""
        self._wake = threading.Condition()
        self._writers: dict[int, tuple[Writer, float]] = {}
        self._task_due: float | None = None
        self._thread: threading.Thread | None = None
        # Until when the thread sleeps, and until when it does so for no longer than `HOLD`.
        self._sleeps_until = self._awake_until = 0.0
        # The end of the main thread ends the process. A child that another thread has forked ends
        # with its last thread: ours may not be the one that keeps it.
        self._stays = threading.main_thread() is self._main

    def every(self, period: float, task: Callable[[], bool]) -> None:
        """Calls `task` each `period` seconds from `wake()` on, until it gives False."""
        self._period, self._task = period, task

    def wake(self) -> None:
        """There is something for the task to do."""
        # Asked without the lock: a task that begins meanwhile finds what there is to do.
        if self._task_due is not None:
            return
        with self._wake:
            if self._task_due is None:
                self._task_due = time.monotonic() + self._period
                self._ensure_thread(self._task_due)

    def hold(self, writer: Writer) -> None:
        """`writer` holds a part of a line."""
        with self._wake:
            due = time.monotonic() + HOLD
            self._writers[id(writer)] = (writer, due)
            self._awake_until = due + AWAKE
            self._ensure_thread(due)

    def stop(self) -> None:
        """Ends the thread and waits for its end; none is started any more.

        The interpreter kills a thread that still runs when it shuts down, and then aborts the
        process because of the lock of the stream into which that thread was writing.
        """
        with self._wake:
            self._stopped = True
            self._wake.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _ensure_thread(self, due: float) -> None:
        """Sees to it that the thread looks at `due`."""
        if self._stopped:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="tacenda-idle", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is shutting down: `finish()` writes the rest
                self._thread = None
                return
        elif due < self._sleeps_until:
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._stopped:
                    return
                dues = [due for _, due in self._writers.values()]
                if self._task_due is not None:
                    dues.append(self._task_due)
                now = time.monotonic()
                if not dues:
                    if not self._stays:
                        self._thread = None
                        return
                    if now >= self._awake_until:
                        self._sleeps_until = math.inf
                        self._wake.wait()
                        continue
                    dues = [now + HOLD]
                if min(dues) > now:
                    self._sleeps_until = min(dues)
                    self._wake.wait(min(dues) - now)
                    continue
                ready = [writer for writer, due in self._writers.values() if due <= now]
                for writer in ready:
                    del self._writers[id(writer)]
                run_task = self._task_due is not None and self._task_due <= now
                if run_task:
                    self._task_due = None
            for writer in ready:
                self._let_go(writer)
            if run_task:
                self._run_task()

    def _let_go(self, writer: Writer) -> None:
        # It may be closed, its reader gone, or a stream of the application that fails as it likes:
        # others are to be let go all the same.
        with suppress(Exception):
            if writer.idle():
                self.hold(writer)

    def _run_task(self) -> None:
        # Handlers and filters of the application run in it.
        with suppress(Exception):
            if self._task is not None and self._task():
                self.wake()
