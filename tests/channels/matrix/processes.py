"""Threads, child processes, signals, the end of the process."""

from __future__ import annotations

import textwrap

from channel import BODY, EMAIL, Channel


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    code = "import os, signal, subprocess, sys, threading, time\n" + code
    return Channel(f"processes: {name}", code, **kwargs)  # type: ignore[arg-type]


MP = """
import logging, multiprocessing
def f(text):
    logging.warning(text)
    print(text, flush=True)
    return text
if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
    p = multiprocessing.Process(target=f, args=(SECRET,))
    p.start(); p.join()
    with multiprocessing.Pool(2) as pool: pool.map(f, [SECRET] * 2)
"""
# Spawned, a process knows nothing of what the others protect.
READER = """
import logging
class Said:
    def __init__(self, text): self.text = text
def log(said):
    logging.basicConfig(filename="w.log", level=20)
    logging.info("said %s", getattr(said, "text", said))
def read(pipe): log(pipe.recv())
def both(queue, text): log(queue.get()); log(text)
"""
CHILD = "import sys; print(sys.argv[1]); sys.stderr.write(sys.argv[1])"

CHANNELS = [
    _channel("thread", "threading.Thread(target=print, args=(SECRET,)).start()"),
    _channel(
        "daemon thread",
        "threading.Thread(target=print, args=(SECRET,), daemon=True).start()\ntime.sleep(0.2)",
    ),
    _channel(
        "fork", "if os.fork() == 0:\n    print(SECRET); sys.stdout.flush(); os._exit(0)\nos.wait()"
    ),
    _channel(
        "fork with text held",
        "print(SECRET[:12], end='', flush=True)\nif os.fork() == 0:\n    print(SECRET[12:], flush=True); os._exit(0)\nos.wait()",
    ),
    _channel("multiprocessing by fork", MP.format(method="fork")),
    _channel("multiprocessing by spawn", MP.format(method="spawn")),
    _channel("multiprocessing by forkserver", MP.format(method="forkserver")),
    _channel(
        "pool of processes that fail",
        "from concurrent.futures import ProcessPoolExecutor\ndef f(text): raise ValueError(text)\nif __name__ == '__main__':\n    with ProcessPoolExecutor(1) as pool: pool.submit(f, SECRET).result()",
    ),
    _channel("subprocess", f"subprocess.run([sys.executable, '-c', {CHILD!r}, SECRET])"),
    _channel(
        "subprocess without site",
        f"subprocess.run([sys.executable, '-S', '-c', {CHILD!r}, SECRET])",
    ),
    _channel(
        "subprocess in isolation",
        f"subprocess.run([sys.executable, '-I', '-c', {CHILD!r}, SECRET])",
    ),
    _channel(
        "subprocess with an empty environment",
        f"subprocess.run([sys.executable, '-c', {CHILD!r}, SECRET], env={{}})",
    ),
    _channel("command of the system", "subprocess.run(['echo', SECRET])"),
    _channel("os.system", "os.environ['SAID'] = SECRET\nos.system('echo $SAID')"),
    _channel(
        "os.popen that is printed",
        "os.environ['SAID'] = SECRET\nprint(os.popen('echo $SAID').read())",
    ),
    _channel(
        "os.posix_spawn",
        "os.waitpid(os.posix_spawn('/bin/echo', ['echo', SECRET], os.environ), 0)",
    ),
    _channel("os.execv", "os.execv('/bin/echo', ['echo', SECRET])"),
    _channel(
        "os.execv of Python",
        f"os.execv(sys.executable, ['python', '-c', {CHILD!r}, SECRET])",
    ),
    _channel(
        "os._exit with text held", "sys.stdout.write(SECRET); sys.stdout.flush(); os._exit(0)"
    ),
    _channel(
        "SIGTERM with text held",
        "sys.stdout.write(SECRET); sys.stdout.flush()\nos.kill(os.getpid(), signal.SIGTERM)",
    ),
    _channel(
        "signal handler",
        "signal.signal(signal.SIGUSR1, lambda *_: print(SECRET))\nos.kill(os.getpid(), signal.SIGUSR1)",
    ),
    _channel("at exit", "import atexit\natexit.register(print, SECRET)"),
    _channel(
        "child that outlives",
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(0.5);' + {CHILD!r}, SECRET])\ntime.sleep(0.1)",
    ),
    _channel(
        "daemon with streams of its own",
        f"subprocess.run(['setsid', sys.executable, '-c', {CHILD!r}, SECRET])",
    ),
    _channel(
        "os.openpty",
        "m, s = os.openpty()\np = subprocess.Popen(['echo', SECRET], stdout=s); p.wait(); os.write(1, os.read(m, 9999))",
    ),
    _channel(
        "asyncio subprocess",
        "import asyncio\nasync def main():\n    p = await asyncio.create_subprocess_exec('echo', SECRET); await p.wait()\nasyncio.run(main())",
    ),
    _channel(
        "python -c",
        "",
        command=("{python}", "-c", "print('jane.roe.canary@example.com')"),
        leaks=(EMAIL,),
    ),
    _channel(
        "python -m",
        "open('m.py', 'w').write('print(\"jane.roe.canary@example.com\")')\nsubprocess.run([sys.executable, '-m', 'm'])",
        leaks=(EMAIL,),
        own_files=True,
    ),
    *(
        _channel(
            f"a message of multiprocessing, logged to a file of its reader: {name}",
            f"open('w.py', 'w').write({READER!r})\nimport multiprocessing as m, w\nif __name__ == '__main__':\n    import tacenda; tacenda.protect(BODY)\n    c = m.get_context({method!r})\n{textwrap.indent(code, '    ')}",
            leaks=(BODY,),
        )
        for name, method, code in (
            (
                "queue and argument",
                "spawn",
                "q = c.Queue(); p = c.Process(target=w.both, args=(q, BODY)); p.start(); q.put({'said': BODY}); p.join()",
            ),
            (
                "pipe",
                "spawn",
                "a, b = c.Pipe(); p = c.Process(target=w.read, args=(b,)); p.start(); a.send([BODY]); p.join()",
            ),
            ("pool", "spawn", "with c.Pool(1) as p: p.map(w.log, [BODY])"),
            (
                "executor",
                "forkserver",
                "from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor(1, mp_context=c) as p: p.submit(w.log, w.Said(BODY)).result()",
            ),
            (
                "manager",
                "spawn",
                "with c.Manager() as g:\n    q = g.Queue(); p = c.Process(target=w.both, args=(q, 'x')); p.start(); q.put(BODY); p.join()",
            ),
        )
    ),
]
