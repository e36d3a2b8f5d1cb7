"""Exceptions and warnings."""

from __future__ import annotations

from channel import Channel


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    return Channel(f"exceptions: {name}", code, **kwargs)  # type: ignore[arg-type]


CHANNELS = [
    _channel("not caught", "raise ValueError(SECRET)"),
    _channel(
        "with a cause",
        "try: raise KeyError(SECRET)\nexcept KeyError as e: raise ValueError('x') from e",
    ),
    _channel(
        "with a context", "try: raise KeyError(SECRET)\nexcept KeyError: raise ValueError('x')"
    ),
    _channel(
        "source line",
        "open('m.py', 'w').write('def f(): raise ValueError(\"x\") # ' + SECRET)\nimport m\nm.f()",
        own_files=True,
    ),
    _channel("syntax error", "compile('(' + repr(SECRET), 'x', 'exec')"),
    _channel(
        "printed traceback",
        "import traceback\ntry: raise ValueError(SECRET)\nexcept ValueError: traceback.print_exc()",
    ),
    _channel(
        "formatted traceback into a file",
        "import traceback\ntry: raise ValueError(SECRET)\nexcept ValueError: print(traceback.format_exc())",
    ),
    _channel(
        "stack with locals, formatted by itself",
        "import traceback\ndef f(text): 1/0\ntry: f(SECRET)\nexcept ZeroDivisionError as e: open('stack', 'w').write(''.join(traceback.StackSummary.extract(traceback.walk_tb(e.__traceback__), capture_locals=True).format()))",
    ),
    _channel(
        "text of a formatted exception",
        "import traceback\nopen('text', 'w').write(str(traceback.TracebackException.from_exception(ValueError(SECRET))))",
    ),
    _channel(
        "traceback with locals",
        "import traceback, sys\ndef f(text):\n    raise ValueError('x')\ntry: f(SECRET)\nexcept ValueError as e: print(''.join(traceback.TracebackException.from_exception(e, capture_locals=True).format()))",
    ),
    _channel(
        "cgitb-like hook",
        "import sys\ndef hook(kind, error, tb):\n    while tb:\n        print(tb.tb_frame.f_locals.get('text')); tb = tb.tb_next\nsys.excepthook = hook\ndef f(text): 1/0\nf(SECRET)",
    ),
    _channel(
        "in a thread",
        "import threading\ndef f(): raise ValueError(SECRET)\nt = threading.Thread(target=f)\nt.start(); t.join()",
    ),
    _channel(
        "in a pool of threads",
        "from concurrent.futures import ThreadPoolExecutor\ndef f(): raise ValueError(SECRET)\nwith ThreadPoolExecutor() as pool:\n    print(pool.submit(f).exception())",
    ),
    _channel(
        "in a finalizer",
        "class D:\n    def __del__(self): raise ValueError(SECRET)\nd = D(); del d",
    ),
    _channel(
        "in a callback of asyncio",
        "import asyncio\ndef f(): raise ValueError(SECRET)\nasync def main(): asyncio.get_running_loop().call_soon(f); await asyncio.sleep(0)\nasyncio.run(main())",
    ),
    _channel(
        "in a task that nobody awaits",
        "import asyncio, gc\nasync def f(): raise ValueError(SECRET)\nasync def main():\n    t = asyncio.create_task(f()); await asyncio.sleep(0); del t; gc.collect()\nasyncio.run(main())",
    ),
    _channel(
        "in debug mode of asyncio",
        "import asyncio, logging\nlogging.basicConfig(level=10)\nasync def f(): raise ValueError(SECRET)\nasync def main():\n    t = asyncio.create_task(f(), name=SECRET); await asyncio.sleep(0); del t\nasyncio.run(main(), debug=True)",
    ),
    _channel("at exit", "import atexit\ndef f(): raise ValueError(SECRET)\natexit.register(f)"),
    _channel("message of sys.exit", "import sys\nsys.exit(SECRET)"),
    _channel("failed assertion", "assert SECRET == '', SECRET"),
    _channel(
        "unraisable",
        "import weakref\nclass D: pass\nd = D()\nr = weakref.ref(d, lambda _: {}[SECRET])\ndel d",
    ),
    _channel("warning", "import warnings\nwarnings.warn(SECRET)"),
    _channel(
        "warning with a source line",
        "import warnings\nwarnings.showwarning(SECRET, UserWarning, 'x.py', 1, line=SECRET)",
    ),
    _channel(
        "resource warning",
        "f = open(EMAIL + PROMPT, 'w')\nf = None",
        command=("{python}", "-X", "tracemalloc", "-W", "always", "{script}"),
        own_files=True,
    ),
    _channel(
        "from native code", "import mlx.core as mx\nmx.save('/nonexistent/' + SECRET, mx.zeros(1))"
    ),
    _channel(
        "faulthandler",
        "import faulthandler, threading\nthreading.current_thread().name = 'x'\ndef f(): faulthandler.dump_traceback()\nf()\nprint(SECRET)",
    ),
    _channel(
        "faulthandler names a function",
        "import faulthandler, sys\nsys.stdout.flush()\nexec(compile('def f(): faulthandler.dump_traceback()\\nf()', SECRET, 'exec'))",
    ),
    _channel("with a note", "e = ValueError('x')\ne.add_note(SECRET)\nraise e", since=(3, 11)),
    _channel("group", "raise ExceptionGroup('x', [ValueError(SECRET)])", since=(3, 11)),
    _channel(
        "cgitb, and the directory of its files",
        "import cgitb\ncgitb.enable(format='text', logdir='.')\ndef f(x): raise ValueError(x)\nf(SECRET)",
        needs="cgitb",
    ),
    _channel(
        "capture_locals",
        "import traceback\ndef f(x): 1 / 0\ntry: f(SECRET)\nexcept Exception as e:\n    print(*traceback.TracebackException.from_exception(e, capture_locals=True).format())",
    ),
    _channel("key", "{}[SECRET]"),
    _channel(
        "unittest",
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual('x', SECRET)\n    def test_b(self):\n        with self.subTest(value=SECRET): self.fail()\nunittest.main(exit=False)",
    ),
    _channel(
        "doctest",
        "import doctest\ndef f():\n    '''\n    >>> f()\n    1\n    '''\n    return SECRET\ndoctest.testmod()",
    ),
    _channel(
        "sys.settrace",
        "import sys\ndef t(frame, event, arg):\n    print(event, frame.f_locals); return t\ndef f(x): return len(x)\nsys.settrace(t); f(SECRET); sys.settrace(None)",
    ),
    _channel(
        "pdb",
        "import io, pdb, sys\np = pdb.Pdb(stdin=io.StringIO('p SECRET\\nc\\n'), stdout=sys.stdout)\np.use_rawinput = False\np.set_trace()\nx = 1",
    ),
    _channel(
        "a slow callback in debug mode of asyncio, cut short",
        "import asyncio, logging, time\nlogging.basicConfig(level=10)\ndef f(x): time.sleep(0.15)\nasync def main():\n    asyncio.get_running_loop().call_soon(f, PROMPT); await asyncio.sleep(0.2)\nasyncio.run(main(), debug=True)",
        leaks=("My heron is ...", "orth of tides"),
    ),
]
