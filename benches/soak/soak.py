"""Mixed load with injected faults, for as long as asked.

    python benches/soak/soak.py [--minutes 30] [--pace 0.01] [--seed 1]

Each lap runs `load.py` under the guard and lets something go wrong. After it: the program has ended
as it would have without the guard, within its time; no value stands in anything that was written;
every record that the program has written is there, by its number, where the fault has not taken
the output itself away.

Exit status 1 when a lap found something. The seed gives the same laps again.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
EMAIL = "jane.roe.canary@example.com"
PROMPT = "My heron is the teal one, it hums at the canary wharf, north of tides"
# What gives them away, in each spelling that this program writes.
NEEDLES = (b"jane.roe.canary", b"canary@example", b"teal one, it hums", b"canary wharf, north")
NUMBER = re.compile(rb"seq=\w+\.\d+\.\d{6}\.")
# What the guard writes when it has failed inside: nothing here may make it do so.
WITHHELD = b"text withheld after an internal error"
PATIENCE = 60
LAP = 3.0
# Python's exit status when standard output cannot be flushed at the end.
FLUSH_FAILED = 120


@dataclass
class Lap:
    """One run of the program, and what becomes of its output."""

    folder: Path
    seconds: float
    pace: float
    draw: random.Random
    guard: str
    # Whether standard output, or standard error, is taken away: what went there may be lost.
    loses_stdout: bool = False
    loses_stderr: bool = False
    # How it may end: exit status, or the negative number of a signal.
    ends: tuple[int, ...] = (0,)
    faults: list[str] = field(default_factory=list)
    records: int = 0

    def start(
        self,
        *,
        stdout: IO[bytes] | int | None = None,
        shell: str = "",
        seconds: float | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts the program; its outputs are files, where nothing else is said."""
        python = sys.executable
        seconds = self.seconds if seconds is None else seconds
        app = ["--seconds", str(seconds), "--pace", str(self.pace)]
        if self.guard == "none":
            # The interpreter's own streams may be locked for ever in a child by fork; the guard's
            # are not.
            app += ["--without", "by_a_fork"]
        if self.guard == "install":
            run = f"runpy.run_path({str(HERE / 'load.py')!r}, run_name='__main__')"
            command = [python, "-c", f"import runpy, tacenda; tacenda.install(); {run}", *app]
        else:
            command = [python, str(HERE / "load.py"), *app]
        if self.guard == "run":
            command = [str(Path(python).with_name("tacenda")), "run", "-q", "--", *command]
        if shell:
            command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TACENDA_", "PYTHON"))}
        with (self.folder / "stderr").open("ab") as err, (self.folder / "stdout").open("ab") as out:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env={**kept, "SOAK_VALUES": f"{EMAIL}|{PROMPT}"},
                stdin=subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=err,
                start_new_session=True,
            )

    def some_time(self) -> float:
        """Seconds to wait from now, when the program has begun: it is in the middle of its work."""
        end = time.monotonic() + PATIENCE
        while not any(self.folder.glob("ledger.*")) and time.monotonic() < end:
            time.sleep(0.05)
        return 0.1 + (self.seconds - 0.1) * self.draw.random()

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Waits for the end of the program, and says how it should not have ended."""
        try:
            status = process.wait(self.seconds + PATIENCE)
        except subprocess.TimeoutExpired:
            self.faults.append(f"it hangs: no end within {PATIENCE} s")
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return
        if status not in self.ends:
            self.faults.append(f"it ended with {status}, and not with one of {self.ends}")

    def check(self) -> None:
        """Looks at everything that was written."""
        # The filter outlives the program for a moment.
        end = time.monotonic() + 10
        missing = self._missing()
        while missing and time.monotonic() < end:
            time.sleep(0.2)
            missing = self._missing()
        sources = Counter(number.split(b".")[0][4:].decode() for number in missing)
        for source, count in sources.items():
            self.faults.append(f"{count} records of {source} are missing")
        for path in self._written():
            data = path.read_bytes()
            for needle in NEEDLES:
                if needle in data:
                    self.faults.append(f"a value stands in {path.name}")
                    break
            if WITHHELD in data:
                self.faults.append(f"an internal error: the marker stands in {path.name}")
            if b"SOAK: another answer" in data:
                self.faults.append("an answer was changed")

    def leaks(self) -> bool:
        """Whether a value stands in what was written."""
        return any(NEEDLES[0] in path.read_bytes() for path in self._written())

    def _written(self) -> list[Path]:
        return [p for p in sorted(self.folder.iterdir()) if not p.name.startswith("ledger")]

    def _missing(self) -> set[bytes]:
        owed: set[bytes] = set()
        for path in self.folder.glob("ledger.*"):
            source = path.name.split(".")[1]
            if source == "to_own_file" or not (
                self.loses_stdout if source == "to_stdout" else self.loses_stderr
            ):
                owed.update(NUMBER.findall(path.read_bytes()))
        self.records = len(owed)
        found: set[bytes] = set()
        for path in self._written():
            found.update(NUMBER.findall(path.read_bytes()))
        return owed - found


def nothing(lap: Lap) -> None:
    """Nothing goes wrong."""
    lap.end(lap.start())


def slow_reader(lap: Lap) -> None:
    """Whoever reads standard output stops for a while, and then reads on."""
    read, write = os.pipe()
    process = lap.start(stdout=write)
    os.close(write)
    with (lap.folder / "stdout").open("ab") as kept, os.fdopen(read, "rb", buffering=0) as reader:
        time.sleep(lap.seconds / 2)
        while data := reader.read(1 << 16):
            kept.write(data)
    lap.end(process)


def broken_pipe(lap: Lap) -> None:
    """Whoever reads standard output goes away."""
    lap.loses_stdout = True
    lap.ends = (0, FLUSH_FAILED)
    read, write = os.pipe()
    process = lap.start(stdout=write)
    os.close(write)
    os.read(read, 4096)
    os.close(read)
    lap.end(process)


def full_disk(lap: Lap) -> None:
    """There is no room for standard output."""
    lap.loses_stdout = True
    lap.ends = (0, FLUSH_FAILED)
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 - a device
        lap.end(lap.start(stdout=full))


def closed_stdout(lap: Lap) -> None:
    """The program has no standard output."""
    lap.loses_stdout = True
    lap.end(lap.start(shell=">&-"))


def terminated(lap: Lap) -> None:
    """A supervisor ends the program: it finishes its work."""
    process = lap.start(seconds=600)
    time.sleep(lap.some_time())
    process.send_signal(signal.SIGTERM)
    lap.end(process)


def killed(lap: Lap) -> None:
    """The program is killed: what it has flushed is written all the same."""
    process = lap.start(seconds=600)
    time.sleep(lap.some_time())
    for pid in _programs(process):
        os.kill(pid, signal.SIGKILL)
    lap.ends = (-signal.SIGKILL,)
    lap.end(process)


def filter_killed(lap: Lap) -> None:
    """The filter is killed: what it had is lost, and nothing gets by it."""
    lap.loses_stdout = lap.loses_stderr = True
    process = lap.start()
    time.sleep(lap.some_time())
    if lap.guard == "run":
        os.kill(process.pid, signal.SIGKILL)
        lap.ends = (-signal.SIGKILL,)
        lap.end(process)
        # The program itself has lost its outputs, and ends at its time or before.
        _wait_for_the_group(lap, process.pid)
        return
    for pid in _group(process.pid):
        if _name(pid) == "tacenda":
            os.kill(pid, signal.SIGKILL)
    lap.ends = (0, 1, -signal.SIGPIPE)
    lap.end(process)


def stopped(lap: Lap) -> None:
    """Stopped and continued, as a person does with Ctrl-Z."""
    process = lap.start()
    time.sleep(lap.some_time() / 2)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGCONT)
    lap.end(process)


FAULTS: list[Callable[[Lap], None]] = [
    nothing,
    slow_reader,
    broken_pipe,
    full_disk,
    closed_stdout,
    terminated,
    killed,
    filter_killed,
    stopped,
]


def _group(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are enough
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(name))
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _programs(process: subprocess.Popen[bytes]) -> list[int]:
    return [pid for pid in _group(process.pid) if _name(pid).startswith("python")]


def _wait_for_the_group(lap: Lap, leader: int) -> None:
    end = time.monotonic() + lap.seconds + PATIENCE
    while _group(leader):
        if time.monotonic() > end:
            lap.faults.append("the program hangs after the end of its filter")
            os.killpg(leader, signal.SIGKILL)
            return
        time.sleep(0.1)


def soak(
    seconds: float,
    *,
    pace: float,
    seed: int,
    lap_seconds: float = LAP,
    say: Callable[[str], object] = print,
) -> list[str]:
    """Runs laps for so long, and at least one of each kind; gives what was found."""
    draw = random.Random(seed)
    found: list[str] = []
    records = laps = 0
    end = time.monotonic() + seconds
    turns = [(fault, guard) for fault in FAULTS for guard in ("run", "install")]
    found += [f"without the guard: {what}" for what in _control(pace)]
    for what in found:
        say(what)
    while time.monotonic() < end or laps < len(turns):
        if laps % len(turns) == 0:
            draw.shuffle(turns)
        fault, guard = turns[laps % len(turns)]
        laps += 1
        with tempfile.TemporaryDirectory() as folder:
            lap = Lap(Path(folder), lap_seconds, pace, draw, guard)
            fault(lap)
            lap.check()
        records += lap.records
        name = f"lap {laps}, {fault.__name__}, {guard}"
        found += [f"{name}: {what}" for what in lap.faults]
        say(f"{name}: {lap.records} records; {'; '.join(lap.faults) or 'nothing found'}")
    say(f"{laps} laps, {records} records, {len(found)} findings (seed {seed})")
    return found


def _control(pace: float) -> list[str]:
    """Without the guard values get out, and records are there: what the checks can see."""
    with tempfile.TemporaryDirectory() as folder:
        lap = Lap(Path(folder), 1, pace, random.Random(0), "none")
        nothing(lap)
        if not lap.leaks():
            return ["nothing gets out: nothing is shown"]
        lap.check()
        return [fault for fault in lap.faults if "value" not in fault]


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--pace", type=float, default=0.02, help="seconds between two records")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("error: processes are found in /proc, which this system has not")

    def say(line: str) -> None:
        print(line, flush=True)

    return 1 if soak(args.minutes * 60, pace=args.pace, seed=args.seed, say=say) else 0


if __name__ == "__main__":
    sys.exit(main())
