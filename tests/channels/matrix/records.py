"""Log records: every way into `logging` and out of it."""

from __future__ import annotations

from channel import EMAIL, Channel

BASIC = """
import logging, logging.config, logging.handlers, queue, sys
logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger("app")
"""
# Writes what a handler can read of a record, without a formatter.
RAW = """
class Raw(logging.Handler):
    def emit(self, record):
        said = getattr(record, "said", "")
        open("raw", "a").write(f"{vars(record)} {record.getMessage()} {said}")
log.addHandler(Raw())
"""


def _channel(name: str, code: str, leaks: tuple[str, ...] | None = None) -> Channel:
    code = BASIC + code
    return (
        Channel(f"logging: {name}", code)
        if leaks is None
        else Channel(f"logging: {name}", code, leaks)
    )


CHANNELS = [
    _channel("literal", "log.info('said ' + SECRET)"),
    _channel("argument", "log.info('said %s', SECRET)"),
    _channel("argument by repr", "log.info('said %r', SECRET)"),
    _channel("argument by ascii", "log.info('said %a', SECRET)"),
    _channel("argument with a width", "log.info('said %120s', SECRET)"),
    _channel(
        "argument cut short",
        "log.info('said %.60s', PROMPT + EMAIL)",
        ("My heron is the teal one",),
    ),
    _channel("named argument", "log.info('said %(text)s', {'text': SECRET})"),
    _channel(
        "two arguments that make one value", "log.info('%s%s', EMAIL[:9], EMAIL[9:])", (EMAIL,)
    ),
    _channel("list", "log.info('said %s', [SECRET])"),
    _channel("dict", "log.info('said %s', {'said': SECRET})"),
    _channel("bytes", "log.info('said %s', SECRET.encode())"),
    _channel(
        "bytearray and memoryview",
        "log.info('said %s %s', bytearray(SECRET.encode()), bytes(memoryview(SECRET.encode())))",
    ),
    _channel(
        "dataclass",
        "from dataclasses import make_dataclass\nlog.info('said %s', make_dataclass('D', ['text'])(SECRET))",
    ),
    _channel(
        "object with a repr of its own",
        "class D:\n    def __repr__(self): return SECRET\nlog.info('said %s', D())",
    ),
    _channel("exception as argument", "log.info('said %s', ValueError(SECRET))"),
    _channel("exception as message", "log.info(ValueError(SECRET))"),
    _channel("object as message", "log.info({'said': SECRET})"),
    _channel("wrong format string", "log.info('%d', SECRET)"),
    _channel("too few arguments", "log.info('%s %s', SECRET)"),
    _channel("too many arguments", "log.info('said', SECRET)"),
    _channel(
        "extra in the format",
        "logging.getLogger().handlers[0].setFormatter(logging.Formatter('%(user)s'))\nlog.info('x', extra={'user': SECRET})",
    ),
    _channel(
        "format in braces",
        "logging.getLogger().handlers[0].setFormatter(logging.Formatter('{message} {user}', style='{'))\nlog.info('x', extra={'user': SECRET})",
    ),
    _channel("logger name", "logging.getLogger(SECRET).info('x')"),
    _channel(
        "thread name",
        "import threading\nthreading.current_thread().name = SECRET\nlogging.getLogger().handlers[0].setFormatter(logging.Formatter('%(threadName)s'))\nlog.info('x')",
    ),
    _channel("level name", "logging.addLevelName(25, SECRET)\nlog.log(25, 'x')"),
    _channel(
        "stack of the call",
        "def f(text='x'): log.info('x', stack_info=True)\nf(SECRET)\nlog.info(SECRET)",
    ),
    _channel(
        "logger of its own handler",
        "log.propagate = False\nlog.addHandler(logging.StreamHandler())\nlog.info(SECRET)",
    ),
    _channel(
        "handler added later", "log.addHandler(logging.FileHandler('app.log'))\nlog.info(SECRET)"
    ),
    _channel(
        "dictConfig",
        "logging.config.dictConfig({'version': 1, 'handlers': {'file': {'class': 'logging.FileHandler', 'filename': 'app.log'}}, 'root': {'handlers': ['file'], 'level': 'INFO'}})\nlogging.info(SECRET)",
    ),
    _channel(
        "rotating files",
        "log.addHandler(logging.handlers.RotatingFileHandler('app.log', maxBytes=200, backupCount=3))\n[log.info(SECRET) for _ in range(5)]",
    ),
    _channel(
        "memory handler",
        "log.addHandler(logging.handlers.MemoryHandler(99, target=logging.FileHandler('app.log')))\nlog.info(SECRET)",
    ),
    _channel(
        "queue handler",
        "q = queue.Queue()\nlistener = logging.handlers.QueueListener(q, logging.FileHandler('app.log'))\nlistener.start()\nlog.addHandler(logging.handlers.QueueHandler(q))\nlog.info('said %s', SECRET)\nlistener.stop()",
    ),
    _channel(
        "socket handler",
        "class Wire(logging.handlers.SocketHandler):\n    def send(self, data): open('wire', 'ab').write(data)\nlog.addHandler(Wire('127.0.0.1', 9))\nlog.info('said %s', SECRET, extra={'user': SECRET})",
    ),
    _channel(
        "syslog handler",
        "import socket\nclass Wire(logging.handlers.SysLogHandler):\n    def createSocket(self):\n        self.socket = type('S', (), {'sendto': lambda s, data, to: open('wire', 'ab').write(data), 'close': lambda s: None})()\nlog.addHandler(Wire(('127.0.0.1', 9)))\nlog.info('said %s', SECRET)",
    ),
    _channel(
        "HTTP handler",
        "class Wire(logging.handlers.HTTPHandler):\n    def emit(self, record): open('wire', 'a').write(str(self.mapLogRecord(record)))\nlog.addHandler(Wire('127.0.0.1:9', '/'))\nlog.info('said %s', SECRET)",
    ),
    _channel(
        "last resort",
        "logging.lastResort.handle(logging.makeLogRecord({'msg': SECRET, 'levelno': 30}))",
    ),
    _channel(
        "names on the network",
        "import threading\nthreading.current_thread().name = PROMPT\nlog = logging.getLogger(EMAIL)\nclass Wire(logging.handlers.SocketHandler):\n    def send(self, data): open('wire', 'ab').write(data)\nclass Web(logging.handlers.HTTPHandler):\n    def emit(self, record): open('web', 'a').write(str(self.mapLogRecord(record)))\nlog.addHandler(Wire('127.0.0.1', 9))\nlog.addHandler(Web('127.0.0.1:9', '/'))\nlog.propagate = False\nlog.info('x')",
    ),
    _channel("no configuration", "logging.getLogger().handlers.clear()\nlog.warning(SECRET)"),
    _channel(
        "record by hand",
        "logging.getLogger().handle(logging.makeLogRecord({'msg': SECRET, 'levelno': 30}))",
    ),
    _channel(
        "record factory",
        "factory = logging.getLogRecordFactory()\ndef mine(*args, **kwargs):\n    record = factory(*args, **kwargs)\n    record.msg = SECRET\n    return record\nlogging.setLogRecordFactory(mine)\nlog.info('x')",
    ),
    _channel(
        "filter that adds",
        "def add(record):\n    record.msg += SECRET\n    return True\nlogging.getLogger().handlers[0].addFilter(add)\nlog.info('x ')",
    ),
    _channel(
        "filter of a logger that adds",
        "def add(record):\n    record.msg += SECRET\n    return True\nlog.addFilter(add)\nlog.info('x ')",
    ),
    _channel(
        "adapter",
        "class Adapter(logging.LoggerAdapter):\n    def process(self, msg, kwargs): return f'{self.extra} {msg}', kwargs\nAdapter(log, {'user': SECRET}).info('x')",
    ),
    _channel(
        "subclass of Logger",
        "class Mine(logging.Logger):\n    def _log(self, level, msg, args, **kwargs): super()._log(level, msg + SECRET, args, **kwargs)\nlogging.setLoggerClass(Mine)\nlogging.getLogger('mine').warning('x')",
    ),
    _channel(
        "handler that reads the arguments",
        "class Raw(logging.Handler):\n    def emit(self, record): print(record.msg, record.args)\nlog.addHandler(Raw())\nlog.info('said %s', SECRET)",
    ),
    _channel(
        "handler that reads everything",
        "class Raw(logging.Handler):\n    def emit(self, record): open('raw', 'a').write(repr(vars(record)))\nlog.addHandler(Raw())\nlog.info('said %s', SECRET, extra={'user': {'text': [SECRET]}})",
    ),
    _channel(
        "handler that formats exceptions",
        "import traceback\nclass Raw(logging.Handler):\n    def emit(self, record): open('raw', 'a').write(''.join(traceback.format_exception(*record.exc_info)))\nlog.addHandler(Raw())\ntry: raise ValueError(SECRET)\nexcept ValueError: log.exception('x')",
    ),
    _channel(
        "handler that pickles",
        "import pickle\nclass Raw(logging.Handler):\n    def emit(self, record): record.exc_info = None; open('raw', 'ab').write(pickle.dumps(vars(record)))\nlog.addHandler(Raw())\nlog.info('said %s', [SECRET])",
    ),
    _channel(
        "formatter of one's own",
        "class Mine(logging.Formatter):\n    def format(self, record): return SECRET\nlogging.getLogger().handlers[0].setFormatter(Mine())\nlog.info('x')",
    ),
    _channel(
        "JSON formatter of one's own",
        "import json\nclass Mine(logging.Formatter):\n    def format(self, record): return json.dumps({'message': record.getMessage(), 'args': record.args})\nlogging.getLogger().handlers[0].setFormatter(Mine())\nlog.info('said %s', SECRET)",
    ),
    _channel(
        "emit of one's own",
        "class Mine(logging.StreamHandler):\n    def emit(self, record): self.stream.write(SECRET + '\\n')\nlog.addHandler(Mine())\nlog.info('x')",
    ),
    _channel(
        "handler error",
        "class Bad(logging.StreamHandler):\n    def format(self, record): raise ValueError(SECRET)\nlog.addHandler(Bad())\nlog.info('said %s', SECRET)",
    ),
    _channel(
        "captured warnings", "logging.captureWarnings(True)\nimport warnings\nwarnings.warn(SECRET)"
    ),
    _channel(
        "JSON in a message",
        "import json\nlog.info(json.dumps({'messages': [{'role': 'user', 'content': SECRET}]}))",
    ),
    _channel(
        "base64 of a value",
        "import base64\nlog.info(base64.b64encode(SECRET.encode()).decode())",
        ("amFuZS5yb2UuY2FuYXJ5QGV4YW1wbGUuY29t",),
    ),
    _channel(
        "URL-encoded value",
        "from urllib.parse import quote\nlog.info('GET /?q=' + quote(SECRET))",
        ("jane.roe.canary%40example.com", "My%20heron%20is%20the%20teal%20one"),
    ),
    _channel(
        "value with another case",
        "log.info(SECRET.upper())",
        (EMAIL.upper(), "MY HERON IS THE TEAL ONE"),
    ),
    _channel(
        "value between colours",
        "log.info('\\x1b[31m' + SECRET[:20] + '\\x1b[0m' + SECRET[20:])",
        ("heron is the teal one",),
    ),
    _channel(
        "value over two lines",
        "import textwrap\nlog.info('\\n'.join(textwrap.wrap(PROMPT, 30)))",
        ("My heron is the teal one",),
    ),
    _channel("prefix of a prompt", "log.info(PROMPT[:40] + '...')", ("My heron is the teal one",)),
    _channel(
        "names that a handler reads",
        RAW
        + "import multiprocessing, threading\nthreading.current_thread().name = PROMPT\nmultiprocessing.current_process().name = EMAIL\nlog.info('x')",
    ),
    _channel(
        "names of a logger and a level that a handler reads",
        RAW + "logging.addLevelName(25, EMAIL)\nlog.getChild(PROMPT).log(25, 'x')",
    ),
    _channel(
        "task name that a handler reads",
        RAW
        + "factory = logging.getLogRecordFactory()\ndef mine(*args, **kwargs):\n    record = factory(*args, **kwargs)\n    record.taskName = SECRET\n    return record\nlogging.setLogRecordFactory(mine)\nlog.info('x')",
    ),
    _channel(
        "stack and cached traceback that a handler reads",
        RAW
        + "def add(record):\n    record.exc_text = EMAIL; record.stack_info = PROMPT\n    return True\nlog.addFilter(add)\nlog.info('x')",
    ),
    _channel(
        "record factory that adds",
        RAW
        + "factory = logging.getLogRecordFactory()\ndef mine(*args, **kwargs):\n    record = factory(*args, **kwargs)\n    record.user = {'said': [SECRET]}\n    return record\nlogging.setLogRecordFactory(mine)\nlog.info('x')",
    ),
    _channel(
        "makeRecord of one's own",
        "class Mine(logging.Logger):\n    def makeRecord(self, *args, **kwargs):\n        record = super().makeRecord(*args, **kwargs); record.user = SECRET\n        return record\nlogging.setLoggerClass(Mine)\nlog = logging.getLogger('mine')\n"
        + RAW
        + "log.info('x')",
    ),
    _channel(
        "class of records with a message of its own",
        RAW
        + "class Mine(logging.LogRecord):\n    def __init__(self, *args, **kwargs): super().__init__(*args, **kwargs); self.user = EMAIL\n    def getMessage(self): return super().getMessage() + PROMPT\nlogging.setLogRecordFactory(Mine)\nlog.info('x')",
    ),
    _channel(
        "class of records with attributes that are computed",
        RAW
        + "class Mine(logging.LogRecord):\n    said = property(lambda self: SECRET)\nlogging.setLogRecordFactory(Mine)\nlog.info('x')",
    ),
    _channel(
        "filter that adds, and a handler that reads",
        RAW
        + "def add(record):\n    record.user = EMAIL; record.msg = PROMPT\n    return True\nlog.addFilter(add)\nlog.info('x')",
    ),
    _channel(
        "filter of a handler that adds",
        RAW
        + "def add(record):\n    record.user = SECRET\n    return True\nlog.handlers[0].addFilter(add)\nlog.info('x')",
    ),
    _channel(
        "handle of one's own",
        "class Mine(logging.Handler):\n    def handle(self, record): open('raw', 'a').write(record.threadName)\nlog.addHandler(Mine())\nimport threading\nthreading.current_thread().name = SECRET\nlog.info('x')",
    ),
    Channel(
        "logging: task name",
        BASIC
        + "import asyncio\nlogging.getLogger().handlers[0].setFormatter(logging.Formatter('%(taskName)s'))\nasync def main(): log.info('x')\nasync def outer(): await asyncio.create_task(main(), name=SECRET)\nasyncio.run(outer())",
        since=(3, 12),
    ),
    _channel(
        "syslog.syslog",
        "import os, socket, syslog\ntry:\n    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('/dev/log')\n    syslog.syslog(syslog.LOG_INFO, SECRET); open('got.log', 'wb').write(s.recv(9999)); os.unlink('/dev/log')\nexcept OSError:\n    syslog.openlog('x', syslog.LOG_PERROR); syslog.syslog(SECRET)",
    ),
    _channel(
        "mail, its subject as well",
        "import smtplib\nclass Smtp(smtplib.SMTP):\n    def __init__(self, *a, **k): self.esmtp_features = {}\n    def send_message(self, m, *a, **k): open('mail.txt', 'w').write(m['Subject'] + m.get_content())\n    def quit(self): pass\nsmtplib.SMTP = Smtp\nclass Mail(logging.handlers.SMTPHandler):\n    def getSubject(self, record): return record.getMessage()\nlog.addHandler(Mail('h', 'a@x', ['b@x'], 's'))\nlog.warning(SECRET)",
    ),
]
