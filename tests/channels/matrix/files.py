"""Files that the program itself writes, in a directory that the policy calls logs."""

from __future__ import annotations

from channel import EMAIL, Channel

_POLICY = 'guard.log_directories = ["kept"]\n'


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    head = "import os\nos.makedirs('kept', exist_ok=True)\n"
    return Channel(f"own files: {name}", head + code, policy=_POLICY, **kwargs)  # type: ignore[arg-type]


CHANNELS = [
    _channel("open and write", "with open('kept/x.txt', 'w') as f: f.write(SECRET)"),
    _channel("never closed", "f = open('kept/x.txt', 'w'); f.write(SECRET)"),
    _channel("forgotten", "open('kept/x.txt', 'a').write(SECRET + '\\n')"),
    _channel(
        "one character a time",
        "with open('kept/x.txt', 'w') as f:\n    for c in SECRET: f.write(c); f.flush()",
    ),
    _channel("print to a file", "print(SECRET, file=open('kept/x.txt', 'w'))"),
    _channel("bytes", "with open('kept/x.bin', 'wb') as f: f.write(SECRET.encode())"),
    _channel(
        "bytes in pieces",
        "data = SECRET.encode()\nwith open('kept/x.bin', 'wb') as f: f.write(data[:40]); f.write(data[40:])\nwith open('kept/y.bin', 'ab', buffering=0) as f:\n    for i in range(0, len(data), 7): f.write(data[i:i + 7])\nwith open('kept/z.bin', 'wb') as f:\n    for c in data: f.write(bytes([c])); f.flush()",
    ),
    _channel(
        "text over bytes",
        "import io\nwith io.TextIOWrapper(open('kept/x.txt', 'wb')) as f: f.write(SECRET)",
    ),
    _channel("pathlib", "from pathlib import Path\nPath('kept/x.txt').write_text(SECRET)"),
    _channel(
        "codecs",
        "import codecs\nwith codecs.open('kept/x.txt', 'w', 'utf-8') as f: f.write(SECRET)",
    ),
    _channel(
        "through a link",
        "os.symlink('kept', 'other')\nwith open('other/x.txt', 'w') as f: f.write(SECRET)",
    ),
    _channel(
        "written and read",
        "with open('kept/x.txt', 'w+') as f:\n    f.write(SECRET); f.seek(0); print(f.read())",
    ),
    _channel(
        "json.dump",
        "import json\nwith open('kept/x.json', 'w') as f: json.dump({'said': SECRET}, f)",
    ),
    _channel(
        "csv", "import csv\nwith open('kept/x.csv', 'w') as f: csv.writer(f).writerow([1, SECRET])"
    ),
    _channel(
        "pickle",
        "import pickle\nwith open('kept/x.pkl', 'wb') as f: pickle.dump({'said': SECRET}, f)",
    ),
    _channel(
        "in a child process",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import sys, tacenda\\ntacenda.protect(sys.argv[1][24:])\\nopen(\"kept/x.txt\", \"w\").write(sys.argv[1])', SECRET])",
        leaks=(EMAIL,),
    ),
    _channel(
        "np.save",
        "import numpy as np\nnp.save('kept/x.npy', np.frombuffer(SECRET.encode(), dtype=np.uint8))",
    ),
    _channel(
        "np.savez",
        "import numpy as np\nnp.savez('kept/x.npz', said=np.frombuffer(SECRET.encode(), dtype=np.uint8))",
    ),
    _channel(
        "mx.save",
        "import mlx.core as mx\nmx.save('kept/x', mx.array(list(SECRET.encode()), dtype=mx.uint8))",
    ),
    _channel(
        "mx.savez",
        "import mlx.core as mx\nmx.savez('kept/x.npz', said=mx.array(list(SECRET.encode()), dtype=mx.uint8))",
    ),
    _channel(
        "mx.save_safetensors, metadata",
        "import mlx.core as mx\nmx.save_safetensors('kept/x', {'a': mx.zeros(1)}, metadata={'said': SECRET})",
    ),
    _channel(
        "mx.save_gguf, metadata",
        "import mlx.core as mx\nmx.save_gguf('kept/x', {'a': mx.zeros(32)}, metadata={'said': SECRET})",
    ),
    _channel(
        "metadata of a prompt cache",
        "from mlx_lm.models.cache import KVCache, save_prompt_cache\nimport mlx.core as mx\ncache = KVCache(); cache.update_and_fetch(mx.zeros((1, 1, 4, 8)), mx.zeros((1, 1, 4, 8)))\nsave_prompt_cache('kept/x.safetensors', [cache], metadata={'said': SECRET})",
    ),
    _channel(
        "another program",
        "import subprocess\nsubprocess.run(['sh', '-c', 'cat > kept/x.txt'], input=SECRET.encode())",
    ),
    _channel(
        "another program, to a file that it is given",
        "import subprocess\nwith open('kept/x.txt', 'w') as f: subprocess.run(['cat'], input=SECRET.encode(), stdout=f)",
    ),
    _channel(
        "another program, while it runs",
        "import subprocess, time\np = subprocess.Popen(['sh', '-c', 'cat > kept/x.txt; exec sleep 60'], stdin=-1)\np.stdin.write(SECRET.encode() + b'\\n'); p.stdin.close()\nuntil, text = time.monotonic() + 5, ''\nwhile time.monotonic() < until and '*' not in text:\n    time.sleep(0.2); text = open('kept/x.txt').read()\nos.rename('kept/x.txt', 'copy.txt'); p.kill()",
    ),
    _channel(
        "Python in a child process",
        "import subprocess, sys\ncode = \"import sys; open('kept/x.txt', 'w').write(sys.stdin.read())\"\nsubprocess.run([sys.executable, '-c', code], input=SECRET.encode())",
    ),
    _channel("os.system", "os.system(f'echo \"{SECRET}\" > kept/x.txt')"),
    _channel(
        "asyncio subprocess",
        "import asyncio\nasync def main():\n    p = await asyncio.create_subprocess_exec('sh', '-c', 'cat > kept/x.txt', stdin=-1)\n    await p.communicate(SECRET.encode())\nasyncio.run(main())",
    ),
    _channel(
        "a descriptor of one's own",
        "fd = os.open('kept/x.txt', os.O_CREAT | os.O_WRONLY)\nwith open(fd, 'w') as f: f.write(SECRET)",
    ),
    _channel(
        "tempfile",
        "import tempfile\nfd, path = tempfile.mkstemp(dir='kept')\nos.write(fd, SECRET.encode())",
    ),
    _channel(
        "mmap",
        "import mmap\nf = open('kept/x.txt', 'w+b'); f.truncate(4096); m = mmap.mmap(f.fileno(), 4096)\nm[:len(SECRET)] = SECRET.encode(); m.flush()",
    ),
    _channel(
        "FileIO",
        "import io\nf = io.FileIO('kept/x.txt', 'w'); f.write(SECRET.encode()); f.close()",
    ),
    _channel(
        "fputs of C",
        "import ctypes\nc = ctypes.CDLL(None); c.fopen.restype = ctypes.c_void_p\nf = ctypes.c_void_p(c.fopen(b'kept/x.txt', b'w')); c.fputs(SECRET.encode(), f); c.fclose(f)",
    ),
    _channel(
        "copied and moved there",
        "import shutil\nwith open('raw.txt', 'w') as f: f.write(SECRET)\nshutil.copy('raw.txt', 'kept/x.txt'); os.rename('raw.txt', 'kept/y.txt')",
    ),
    _channel(
        "SQLite",
        "import sqlite3\nc = sqlite3.connect('kept/x.db'); c.execute('create table log (said)')\nc.execute('insert into log values (?)', (SECRET,)); c.cursor().executemany('insert into log values (:s)', [{'s': SECRET}])\nc.execute(f\"insert into log values ('{SECRET}')\"); c.commit(); c.close()",
    ),
]
