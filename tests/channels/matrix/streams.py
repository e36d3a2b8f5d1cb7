"""Standard streams: what Python, its C code and other code writes."""

from __future__ import annotations

from channel import EMAIL, Channel


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    code = "import ctypes, io, os, sys, time\n" + code
    return Channel(f"streams: {name}", code, **kwargs)  # type: ignore[arg-type]


CHANNELS = [
    _channel("print", "print(SECRET)"),
    _channel("print to stderr", "print(SECRET, file=sys.stderr)"),
    _channel("print without an end", "print(SECRET, end='')"),
    _channel("print with a carriage return", "print(SECRET, end='\\r')"),
    _channel("print with a separator", "print(*SECRET.split(' '))"),
    _channel("one character a time", "for c in SECRET: print(c, end='')"),
    _channel("one character a time, flushed", "for c in SECRET: print(c, end='', flush=True)"),
    _channel("one character a time to stderr", "for c in SECRET: sys.stderr.write(c)"),
    _channel(
        "slowly",
        "for i in range(0, len(SECRET), 9):\n    print(SECRET[i:i+9], end='', flush=True); time.sleep(0.02)",
    ),
    _channel("writelines", "sys.stdout.writelines([SECRET, '\\n'])"),
    _channel("buffer", "sys.stdout.buffer.write(SECRET.encode())"),
    _channel(
        "buffer, one byte a time", "for b in SECRET.encode(): sys.stderr.buffer.write(bytes([b]))"
    ),
    _channel("raw", "sys.stdout.buffer.raw.write(SECRET.encode())"),
    _channel(
        "detached",
        "b = sys.stdout.detach(); sys.stdout = None\nb.write(SECRET.encode()); b.flush()",
    ),
    _channel("__stdout__", "sys.__stdout__.write(SECRET)"),
    _channel("a stream kept before", "import importlib\nprint(SECRET, file=sys.__stderr__)"),
    _channel("a stream opened anew", "open(1, 'w', closefd=False).write(SECRET)"),
    _channel("a descriptor opened anew", "os.fdopen(os.dup(2), 'w').write(SECRET)"),
    _channel("/dev/stdout", "open('/dev/stdout', 'w').write(SECRET)"),
    _channel("/proc/self/fd", "open('/proc/self/fd/2', 'w').write(SECRET)"),
    _channel("os.write", "os.write(1, SECRET.encode())"),
    _channel("os.write, one byte a time", "for b in SECRET.encode(): os.write(2, bytes([b]))"),
    _channel("os.writev", "os.writev(1, [SECRET[:30].encode(), SECRET[30:].encode()])"),
    _channel(
        "os.write after print",
        "print(SECRET[:12], end='', flush=True); os.write(1, SECRET[12:70].encode())\nprint(SECRET[70:])",
    ),
    _channel(
        "os.write in a signal handler",
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: os.write(2, SECRET.encode() + b'\\n'))\nsignal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)\nend = time.time() + 0.3\nwhile time.time() < end: print('x', file=sys.stderr)\nsignal.setitimer(signal.ITIMER_REAL, 0)",
    ),
    _channel(
        "os.sendfile",
        "fd = os.memfd_create('x'); os.write(fd, SECRET.encode())\nos.sendfile(1, fd, 0, len(SECRET))",
    ),
    _channel(
        "replaced stream",
        "sys.stdout = io.TextIOWrapper(open(1, 'wb', closefd=False))\nprint(SECRET)",
    ),
    _channel(
        "redirected stream",
        "import contextlib\nwith contextlib.redirect_stdout(sys.stderr): print(SECRET)",
    ),
    _channel(
        "tee of one's own into a log",
        "os.makedirs('kept')\nclass Tee:\n    def __init__(self, s): self.s, self.log = s, open('kept/tee', 'w')\n    def write(self, t): self.log.write(t); return self.s.write(t)\n    def flush(self): self.s.flush()\nsys.stdout = Tee(sys.stdout)\nprint(SECRET)",
        policy='guard.log_directories = ["kept"]\n',
    ),
    _channel(
        "printf",
        "libc = ctypes.CDLL(None)\nlibc.printf(b'%s\\n', SECRET.encode())\nlibc.fflush(None)",
    ),
    _channel("puts, flushed at exit", "ctypes.CDLL(None).puts(SECRET.encode())"),
    _channel("write of C", "ctypes.CDLL(None).write(2, SECRET.encode(), len(SECRET))"),
    _channel("perror of C", "ctypes.CDLL(None).perror(SECRET.encode())"),
    _channel("input prompt", "try: input(SECRET)\nexcept EOFError: pass"),
    _channel(
        "getpass prompt",
        "import getpass, warnings\nwarnings.simplefilter('ignore')\ntry: getpass.getpass(SECRET)\nexcept EOFError: pass",
    ),
    _channel("help and pprint", "import pprint\npprint.pprint({'said': SECRET}, width=200)"),
    _channel("json.dump to stdout", "import json\njson.dump({'said': SECRET}, sys.stdout)"),
    _channel("interactive display", "sys.displayhook(SECRET)"),
    _channel(
        "python -i",
        "",
        command=("{python}", "-i", "-c", "print('jane.roe.canary@example.com')"),
        leaks=(EMAIL,),
    ),
    _channel(
        "escapes of JSON", "import json\nprint(json.dumps({'said': 'a' + SECRET + '\\n\\u00e9'}))"
    ),
    _channel("terminal title", "print('\\x1b]0;' + SECRET + '\\x07', end='')"),
    _channel(
        "mx.array of its bytes",
        "import mlx.core as mx\nprint(list(SECRET.encode()))",
        leaks=("106, 97, 110, 101, 46, 114, 111, 101",),
    ),
    _channel(
        "mx.array printed",
        "import mlx.core as mx\nprint(mx.array([0.123456, 0.654321, 0.111111]))",
        leaks=("0.654321",),
    ),
    _channel(
        "reprlib",
        "import reprlib\nprint(reprlib.repr(PROMPT))",
        leaks=("My heron is ...", "orth of tides"),
    ),
    _channel(
        "other spellings: URL in a URL, octal, base32, base85",
        "import base64, urllib.parse\nq = urllib.parse.quote\nb = PROMPT.encode()\nprint(q(q(PROMPT)), ''.join(f'\\\\{c:03o}' for c in b))\nfor f in (base64.b32encode, base64.b85encode, base64.a85encode): print(f(b).decode())",
        leaks=(
            "My%2520heron%2520is",
            "\\115\\171\\040",
            "JV4SA2DFOJXW4IDJ",
            "O?e<_WpZzBAZc?TbZBKDbY)>|",
            "9mIjpATD^,+DGm>FD,5.FCels",
        ),
    ),
    _channel(
        "ctypes writev",
        "class V(ctypes.Structure): _fields_ = [('p', ctypes.c_char_p), ('n', ctypes.c_size_t)]\nb = SECRET.encode()\nctypes.CDLL(None).writev(1, (V * 2)(V(b[:20], 20), V(b[20:], len(b) - 20)), 2)",
    ),
    _channel(
        "os.splice",
        "r, w = os.pipe(); os.write(w, SECRET.encode()); os.close(w); os.splice(r, 1, 9999)",
    ),
]
