"""MLX and mlx-lm: what they print, log and save by themselves."""

from __future__ import annotations

from pathlib import Path

from channel import BODY, EMAIL, Channel

_DEMO = Path(__file__).resolve().parents[3] / "demo"

# The small model of the demo, with weights as they are drawn.
_MODEL = f"""
import json, os, subprocess, sys
sys.path.insert(0, {str(_DEMO)!r})
from pathlib import Path
import model as maker
os.makedirs("model", exist_ok=True)
maker.make_weights(Path("model"), maker.make_tokenizer(Path("model")))
os.environ["HF_HUB_OFFLINE"] = "1"
def mlx_lm(*words, **options):
    return subprocess.run([sys.executable, "-m", "mlx_lm", *words], **options)
"""
# A request as a client sends it that gives up in the middle.
_SERVER = """
import http.client, socket, time
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
words = ["server", "--model", "model", "--port", str(port)]
server = subprocess.Popen([sys.executable, "-m", "mlx_lm", *words])
def ask(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    connection.getresponse().read()
while server.poll() is None:
    try: ask("GET", "/health"); break
    except ConnectionError: time.sleep(0.05)
ask("POST", "/v1/chat/completions", '{"messages": [{"role": "user", "content": "' + BODY)
ask("GET", "/v1/models?user=" + EMAIL)
server.terminate(); server.wait()
import shutil; shutil.rmtree("model")
"""
_POLICY = 'guard.log_directories = ["kept"]\n'


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    return Channel(f"MLX: {name}", code, **kwargs)  # type: ignore[arg-type]


def _mlx_lm(name: str, code: str, **kwargs: object) -> Channel:
    return Channel(f"mlx-lm: {name}", _MODEL + code, **kwargs)  # type: ignore[arg-type]


CHANNELS = [
    _channel(
        "path in an error", "import mlx.core as mx\nmx.load('/nonexistent/' + SECRET + '.npy')"
    ),
    _channel(
        "name of a parameter",
        "import mlx.nn as nn, mlx.core as mx\nnn.Linear(2, 2).load_weights([(SECRET, mx.zeros(1))])",
    ),
    _channel(
        "mlx.launch: a variable that it refuses",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'from mlx._distributed_utils.launch import main; main()', '-n', '1', '--env', 'HF-TOKEN=' + SECRET, '--', sys.executable, '-c', 'pass'])",
    ),
    _channel(
        "mlx.launch: what a rank prints",
        "import subprocess, sys\nopen('rank.py', 'w').write('print(' + repr(SECRET) + ')')\nsubprocess.run([sys.executable, '-c', 'from mlx._distributed_utils.launch import main; main()', '-n', '1', '--', sys.executable, 'rank.py'])\nimport os; os.remove('rank.py')",
    ),
    _mlx_lm(
        "generate, verbose",
        "from mlx_lm import generate, load\nmodel, tokenizer = load('model')\ntext = generate(model, tokenizer, SECRET, max_tokens=4, verbose=True)\nprint('asked', SECRET)",
    ),
    _mlx_lm(
        "chat, system prompt",
        "mlx_lm('chat', '--model', 'model', '--system-prompt', SECRET, '--max-tokens', '1', input=b'q\\n')",
        leaks=(EMAIL,),
    ),
    _mlx_lm(
        "server, a body that is cut short and a query",
        _SERVER,
        leaks=(EMAIL, BODY),
    ),
    _mlx_lm(
        "lora, what is saved beside the adapters",
        "words = ['lora', '--model', 'model', '--train', '--iters', '1', '--batch-size', '1', '--num-layers', '1', '--data', 'data', '--adapter-path', 'kept', '--project-name', SECRET]\nos.makedirs('data', exist_ok=True)\nfor name in ('train', 'valid'): open('data/' + name + '.jsonl', 'w').write('{\"text\": \"hello there\"}\\n' * 4)\nmlx_lm(*words)\nimport shutil; shutil.rmtree('model'); shutil.rmtree('data')",
        leaks=(EMAIL,),
        policy=_POLICY,
    ),
    _mlx_lm(
        "cache_prompt, what is saved beside the tensors",
        "os.makedirs('kept', exist_ok=True)\nmlx_lm('cache_prompt', '--model', 'model', '--prompt', 'hello', '--prompt-cache-file', 'kept/x.safetensors')\nfrom mlx_lm.models.cache import load_prompt_cache, save_prompt_cache\ncache = load_prompt_cache('kept/x.safetensors')\nsave_prompt_cache('kept/x.safetensors', cache, metadata={'system': SECRET})\nimport shutil; shutil.rmtree('model')",
        policy=_POLICY,
    ),
]
