"""Libraries that log, show, trace and serve."""

from __future__ import annotations

from channel import BODY, EMAIL, Channel

# Each word has a number of four digits.
_IDS = {word: 1000 + 37 * place for place, word in enumerate(dict.fromkeys(BODY.split()))}
_TOKENIZER = f"""
from tokenizers import Tokenizer, models, pre_tokenizers
tokenizer = Tokenizer(models.WordLevel({{**{_IDS!r}, "?": 0}}, unk_token="?"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
"""
_SAID = " ".join(str(_IDS[word]) for word in BODY.split())


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    return Channel(name, code, **kwargs)  # type: ignore[arg-type]


CHANNELS = [
    _channel(
        "tqdm: description",
        "import sys\nfrom tqdm import tqdm\nfor _ in tqdm(range(3), desc=SECRET, file=sys.stderr): pass",
    ),
    _channel("tqdm: write", "from tqdm import tqdm\ntqdm.write(SECRET)"),
    _channel("rich: print", "from rich import print\nprint(SECRET)"),
    _channel(
        "rich: console in colours",
        "from rich.console import Console\nConsole(force_terminal=True, width=200).print('[red]' + SECRET + '[/red]', {'said': SECRET})",
    ),
    _channel(
        "rich: console wraps",
        "from rich.console import Console\nConsole(width=40).print('text ' + PROMPT)",
        leaks=("My heron is the teal one",),
    ),
    _channel(
        "rich: handler",
        "import logging\nfrom rich.logging import RichHandler\nlogging.basicConfig(level=10, handlers=[RichHandler()], format='%(message)s')\nlogging.info('said %s', SECRET)",
        leaks=(EMAIL,),
    ),
    _channel(
        "rich: handler with locals",
        "import logging\nfrom rich.logging import RichHandler\nlogging.basicConfig(level=10, handlers=[RichHandler(rich_tracebacks=True, tracebacks_show_locals=True)])\ndef f(text): 1/0\ntry: f(SECRET)\nexcept Exception: logging.exception('x')",
        leaks=(EMAIL,),
    ),
    _channel(
        "rich: traceback with locals",
        "from rich.traceback import install\ninstall(show_locals=True)\ndef f(text): 1/0\nf(SECRET)",
        leaks=(EMAIL,),
    ),
    _channel("loguru: message", "from loguru import logger\nlogger.info('said {}', SECRET)"),
    _channel(
        "loguru: bind and serialize",
        "import sys\nfrom loguru import logger\nlogger.add(sys.stdout, serialize=True)\nlogger.bind(user=SECRET).info('x')",
    ),
    _channel(
        "loguru: file",
        "from loguru import logger\nlogger.remove()\nlogger.add('app.log')\nlogger.info(SECRET)",
    ),
    _channel(
        "loguru: diagnose",
        "from loguru import logger\nlogger.add('app.log', diagnose=True, backtrace=True)\ndef f(text): return 1 / len(text[:0])\ntry: f(SECRET)\nexcept Exception: logger.exception('x')",
    ),
    _channel(
        "loguru: function as sink",
        "from loguru import logger\nlogger.remove()\nlogger.add(lambda m: open('sink', 'a').write(str(m.record['message']) + str(m)))\nlogger.info(SECRET)",
    ),
    _channel(
        "loguru: names that a function as sink reads",
        "import multiprocessing, threading\nfrom loguru import logger\nlogger.remove()\nlogger.add(lambda m: open('sink', 'a').write(m.record['thread'].name + m.record['process'].name))\nthreading.current_thread().name = EMAIL\nmultiprocessing.current_process().name = PROMPT\nlogger.info('x')",
    ),
    _channel(
        "structlog: print", "import structlog\nstructlog.get_logger().info('said', text=SECRET)"
    ),
    _channel(
        "structlog: JSON",
        "import structlog\nstructlog.configure(processors=[structlog.processors.JSONRenderer()])\nstructlog.get_logger().info('said', text=SECRET)",
    ),
    _channel(
        "structlog: file",
        "import structlog\nstructlog.configure(logger_factory=structlog.WriteLoggerFactory(file=open('app.log', 'w')))\nstructlog.get_logger().info('said', text=SECRET)",
    ),
    _channel(
        "structlog: through logging",
        "import logging, structlog\nlogging.basicConfig(level=10, format='%(message)s')\nstructlog.configure(logger_factory=structlog.stdlib.LoggerFactory(), processors=[structlog.stdlib.render_to_log_kwargs])\nstructlog.get_logger().info('said ' + SECRET, user=SECRET)",
    ),
    _channel(
        "structlog: exception with locals",
        "import structlog\nstructlog.configure(processors=[structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()])\ndef f(text): 1/0\ntry: f(SECRET)\nexcept Exception: structlog.get_logger().exception('x')",
    ),
    _channel(
        "picologging: stream",
        "import picologging\npicologging.basicConfig(level=10)\npicologging.getLogger('x').info('said %s', SECRET)",
        needs="picologging",
    ),
    _channel(
        "picologging: file",
        "import picologging\nlog = picologging.getLogger('x')\nlog.addHandler(picologging.FileHandler('app.log'))\nlog.setLevel(10)\nlog.info('said %s', SECRET)",
        needs="picologging",
    ),
    _channel(
        "python-json-logger",
        "import logging\nfrom pythonjsonlogger.json import JsonFormatter\nh = logging.FileHandler('app.log')\nh.setFormatter(JsonFormatter())\nlogging.getLogger().addHandler(h)\nlogging.warning('said %s', SECRET, extra={'user': SECRET})",
    ),
    _channel(
        "transformers: logging",
        "from transformers.utils import logging\nlogging.set_verbosity_info()\nlogging.get_logger('transformers.x').info(SECRET)",
    ),
    _channel(
        "httpx: request",
        "import logging, httpx\nlogging.basicConfig(level=10)\nclient = httpx.Client(transport=httpx.MockTransport(lambda r: httpx.Response(200)))\nclient.get('http://h/', params={'api_key': SECRET})",
        leaks=("jane.roe.canary%40example.com",),
    ),
    _channel(
        "urllib3: request",
        "import logging, urllib3\nlogging.basicConfig(level=10)\ntry: urllib3.PoolManager().request('GET', 'http://127.0.0.1:9/?email=' + EMAIL, retries=1)\nexcept Exception as e: print(e)",
        leaks=(EMAIL,),
    ),
    _channel(
        "http.client: debug level",
        "import http.client\nc = http.client.HTTPConnection('127.0.0.1', 9)\nc.set_debuglevel(1)\nc.sock = type('S', (), {'sendall': lambda s, d: None, 'close': lambda s: None})()\nc.request('GET', '/?q=' + EMAIL, body=SECRET)",
    ),
    _channel(
        "tokenizers: text and ids",
        _TOKENIZER + "ids = tokenizer.encode(BODY).ids\nprint(BODY); print(*ids); print(ids[:8])",
        leaks=(BODY, _SAID, _SAID.replace(" ", ", ")[:46]),
    ),
    _channel(
        "tokenizers: pair",
        _TOKENIZER + "tokenizer.encode('?', BODY); print(BODY)",
        leaks=(BODY,),
    ),
    _channel(
        "tokenizers: batch",
        _TOKENIZER
        + "for got in tokenizer.encode_batch(['? ?', BODY]): print(*got.ids)\nprint(BODY)",
        leaks=(BODY, _SAID),
    ),
    _channel(
        "tokenizers: decoded",
        _TOKENIZER + f"print(tokenizer.decode({list(map(_IDS.get, BODY.split()))!r}))\nprint(BODY)",
        leaks=(BODY,),
    ),
    _channel(
        "transformers: ids and pair",
        _TOKENIZER
        + "from transformers import PreTrainedTokenizerFast\nfast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token='?')\nprint(*fast.encode(BODY)); print(*fast(BODY)['input_ids'])\nfast('?', PROMPT + BODY[::-1]); print(BODY[::-1])",
        leaks=(_SAID, BODY[::-1]),
    ),
]
