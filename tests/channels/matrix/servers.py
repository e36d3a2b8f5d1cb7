"""Web servers and frameworks: access logs, error logs, what handlers log."""

from __future__ import annotations

from channel import Channel

# Serves one application on a free port and asks it once.
_ASK = """
import socket, threading, time, urllib.parse, urllib.request
def ask(port, method="POST"):
    url = f"http://127.0.0.1:{port}/v1/chat?api_key=" + urllib.parse.quote(EMAIL)
    request = urllib.request.Request(url, data=BODY.encode(), method=method, headers={"X-User": EMAIL})
    for _ in range(100):
        try: return urllib.request.urlopen(request, timeout=10).read()
        except urllib.error.HTTPError as error: return error.read()
        except OSError: time.sleep(0.05)
def free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
port = free()
"""
_ASGI = """
import logging
async def app(scope, receive, send):
    if scope["type"] == "lifespan": return
    body = (await receive())["body"]
    {handler}
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"ok"}})
"""
_UVICORN = """
import uvicorn
server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="debug"))
thread = threading.Thread(target=server.run)
thread.start(); ask(port); server.should_exit = True; thread.join()
"""
_AIOHTTP = """
import asyncio, logging
from aiohttp import web
FORM = b'--xx\\r\\nContent-Disposition: form-data; name="said"\\r\\n\\r\\n' + BODY.encode() + b'\\r\\n--xx--\\r\\n'
logging.basicConfig(level=10)
async def f(r):{handler}
async def main():
    app = web.Application(); app.router.add_post('/v1/chat', f)
    runner = web.AppRunner(app); await runner.setup(); await web.TCPSite(runner, '127.0.0.1', port).start()
    await asyncio.to_thread(ask, port); await runner.cleanup()
asyncio.run(main())
"""
_QUERY = "jane.roe.canary%40example.com"


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    return Channel(name, _ASK + code, **kwargs)  # type: ignore[arg-type]


_LOGS_BODY = 'logging.getLogger("uvicorn.error").info("body %s", body)'

CHANNELS = [
    _channel(
        "http.server: access log",
        "from http.server import *\nserver = HTTPServer(('127.0.0.1', port), SimpleHTTPRequestHandler)\nthreading.Thread(target=server.serve_forever, daemon=True).start()\nask(port, 'GET'); server.shutdown()",
        leaks=(_QUERY,),
    ),
    _channel("uvicorn: access log", _ASGI.format(handler="pass") + _UVICORN, leaks=(_QUERY,)),
    _channel(
        "uvicorn: a handler that fails",
        _ASGI.format(handler="raise ValueError(EMAIL + PROMPT)") + _UVICORN,
    ),
    _channel(
        "uvicorn: a handler that logs the body",
        _ASGI.format(handler=_LOGS_BODY) + _UVICORN,
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "uvicorn: an access log of one's own format",
        _ASGI.format(handler="pass")
        + _UVICORN.replace(
            'log_level="debug"',
            'log_config={"version": 1, "disable_existing_loggers": False, "formatters": {"a": {"()": "uvicorn.logging.AccessFormatter", "fmt": "%(client_addr)s %(request_line)s %(status_code)s"}}, "handlers": {"a": {"class": "logging.FileHandler", "filename": "access.log", "formatter": "a"}}, "loggers": {"uvicorn.access": {"handlers": ["a"], "level": "INFO", "propagate": False}}}',
        ),
        leaks=(_QUERY,),
    ),
    _channel(
        "FastAPI: validation error that is logged",
        "import logging\nfrom fastapi import FastAPI, Request\nfrom fastapi.exceptions import RequestValidationError\nfrom fastapi.responses import PlainTextResponse\nfrom pydantic import BaseModel\nclass Q(BaseModel):\n    n: int\napp = FastAPI()\n@app.post('/v1/chat')\ndef f(q: Q): return 1\n@app.exception_handler(RequestValidationError)\nasync def h(request: Request, error: RequestValidationError):\n    logging.getLogger('uvicorn.error').error('bad %s %s', error, error.body); return PlainTextResponse('no', 422)\n"
        + _UVICORN,
        leaks=(_QUERY,),
    ),
    _channel(
        "FastAPI: print of the body",
        "from fastapi import FastAPI, Request\napp = FastAPI()\n@app.post('/v1/chat')\nasync def f(r: Request):\n    print(await r.body()); return {}\n"
        + _UVICORN,
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "Flask: development server",
        "import logging\nfrom flask import Flask, request\napp = Flask('x')\n@app.post('/v1/chat')\ndef f():\n    app.logger.warning('body %s', request.get_data()); return 'ok'\nfrom werkzeug.serving import make_server\nserver = make_server('127.0.0.1', port, app)\nthreading.Thread(target=server.serve_forever, daemon=True).start()\nask(port); server.shutdown()",
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "Flask: a view that fails",
        "from flask import Flask\napp = Flask('x')\n@app.post('/v1/chat')\ndef f(): raise ValueError(EMAIL + PROMPT)\nfrom werkzeug.serving import make_server\nserver = make_server('127.0.0.1', port, app)\nthreading.Thread(target=server.serve_forever, daemon=True).start()\nask(port); server.shutdown()",
    ),
    _channel(
        "wsgiref: access log",
        "from wsgiref.simple_server import make_server\ndef app(environ, start):\n    print(environ['wsgi.input'].read(int(environ['CONTENT_LENGTH'])))\n    start('200 OK', []); return [b'ok']\nserver = make_server('127.0.0.1', port, app)\nthreading.Thread(target=server.serve_forever, daemon=True).start()\nask(port); server.shutdown()",
        leaks=(_QUERY, "Her otter is the grey one"),
    ),
    _channel(
        "gunicorn: access log and body",
        "import subprocess, sys, signal\nopen('wsgi.py', 'w').write('import logging\\ndef app(environ, start):\\n    logging.getLogger(\"gunicorn.error\").info(environ[\"wsgi.input\"].read())\\n    start(\"200 OK\", []); return [b\"ok\"]\\n')\np = subprocess.Popen([sys.executable, '-m', 'gunicorn', '-b', f'127.0.0.1:{port}', '--access-logfile', '-', '--error-logfile', 'error.log', 'wsgi:app'])\nask(port); p.send_signal(signal.SIGTERM); p.wait()",
        leaks=(_QUERY, "Her otter is the grey one"),
    ),
    _channel(
        "aiohttp: access log and body",
        "import asyncio, logging\nfrom aiohttp import web\nlogging.basicConfig(level=10)\nasync def f(r):\n    logging.info('body %s', await r.text()); return web.Response()\nasync def main():\n    app = web.Application(); app.router.add_post('/v1/chat', f)\n    runner = web.AppRunner(app); await runner.setup(); await web.TCPSite(runner, '127.0.0.1', port).start()\n    await asyncio.to_thread(ask, port); await runner.cleanup()\nasyncio.run(main())",
        leaks=(_QUERY, "Her otter is the grey one"),
    ),
    _channel(
        "aiohttp: body in parts",
        _AIOHTTP.format(
            handler="""
    parts = []
    async for part in r.content.iter_chunked(16): parts.append(part)
    logging.info('body %s', b''.join(parts)); return web.Response()"""
        ),
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "aiohttp: multipart",
        "def ask(port):\n    request = urllib.request.Request(f'http://127.0.0.1:{port}/v1/chat', data=FORM, headers={'Content-Type': 'multipart/form-data; boundary=xx'})\n    return urllib.request.urlopen(request, timeout=10).read()\n"
        + _AIOHTTP.format(
            handler="""
    async for part in await r.multipart(): logging.info('part %s', await part.text())
    return web.Response()"""
        ),
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "aiohttp: WebSocket messages",
        "import asyncio, logging\nimport aiohttp\nfrom aiohttp import web\nlogging.basicConfig(level=20)\nasync def f(r):\n    ws = web.WebSocketResponse(); await ws.prepare(r)\n    async for message in ws: logging.info('said %s', message.data)\n    return ws\nasync def main():\n    app = web.Application(); app.router.add_get('/ws', f)\n    runner = web.AppRunner(app); await runner.setup(); await web.TCPSite(runner, '127.0.0.1', port).start()\n    async with aiohttp.ClientSession() as session, session.ws_connect(f'http://127.0.0.1:{port}/ws') as ws:\n        await ws.send_str(BODY)\n    await runner.cleanup()\nasyncio.run(main())",
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "gunicorn: workers of uvicorn",
        "import subprocess, sys, signal\nopen('asgi.py', 'w').write('from fastapi import FastAPI, Request\\napp = FastAPI()\\n@app.post(\"/v1/chat\")\\nasync def f(r: Request):\\n    print(await r.body(), flush=True); return {}\\n')\np = subprocess.Popen([sys.executable, '-m', 'gunicorn', '-k', 'uvicorn.workers.UvicornWorker', '-b', f'127.0.0.1:{port}', 'asgi:app'])\nprint(ask(port)); p.send_signal(signal.SIGTERM); p.wait()",
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "uvicorn: paths that are no URL, bodies in small parts",
        _ASGI.format(
            handler="parts = [body]\n    while body and scope['path'] != '/v1/chat': body = (await receive())['body']; parts.append(body)\n    print(scope['path'], b''.join(parts))"
        )
        + _UVICORN.replace(
            "ask(port); ",
            "ask(port)\nimport socket\nwith socket.create_connection(('127.0.0.1', port)) as s:\n    s.sendall(b'POST //[x HTTP/1.1\\r\\nHost: h\\r\\nTransfer-Encoding: chunked\\r\\nConnection: close\\r\\n\\r\\n')\n    for i in range(0, len(BODY), 12):\n        part = BODY[i:i + 12].encode()\n        s.sendall(b'%x\\r\\n%s\\r\\n' % (len(part), part)); time.sleep(0.01)\n    s.sendall(b'0\\r\\n\\r\\n'); s.recv(99)\n",
        ),
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "Tornado: access log and body",
        "import asyncio, logging\nimport tornado.web\nlogging.basicConfig(level=10)\nclass Handler(tornado.web.RequestHandler):\n    def post(self):\n        logging.info('body %s', self.request.body)\nasync def main():\n    tornado.web.Application([('/v1/chat', Handler)]).listen(port, '127.0.0.1')\n    await asyncio.to_thread(ask, port)\nasyncio.run(main())",
        leaks=(_QUERY, "Her otter is the grey one"),
    ),
    _channel(
        "Tornado: body in parts",
        "import asyncio, logging\nimport tornado.web\nlogging.basicConfig(level=10)\n@tornado.web.stream_request_body\nclass Handler(tornado.web.RequestHandler):\n    def data_received(self, data): logging.info('part %s', data)\n    def post(self): pass\nasync def main():\n    tornado.web.Application([('/v1/chat', Handler)]).listen(port, '127.0.0.1')\n    await asyncio.to_thread(ask, port)\nasyncio.run(main())",
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "Tornado: WebSocket messages",
        "import asyncio, logging\nimport tornado.web, tornado.websocket\nlogging.basicConfig(level=20)\nclass Handler(tornado.websocket.WebSocketHandler):\n    def on_message(self, message): logging.info('message %s', message); self.close()\nasync def main():\n    tornado.web.Application([('/', Handler)]).listen(port, '127.0.0.1')\n    socket = await tornado.websocket.websocket_connect(f'ws://127.0.0.1:{port}/')\n    socket.write_message(BODY)\n    await socket.read_message()\nasyncio.run(main())",
        leaks=("Her otter is the grey one",),
    ),
    _channel(
        "http.server: a header by the name of a secret",
        "import logging\nfrom http.server import *\nlogging.basicConfig(level=20)\nclass Handler(BaseHTTPRequestHandler):\n    def do_GET(self):\n        logging.info('from %s', self.headers['X-Auth-Token']); self.send_response(204); self.end_headers()\nserver = HTTPServer(('127.0.0.1', port), Handler)\nthreading.Thread(target=server.serve_forever, daemon=True).start()\nrequest = urllib.request.Request(f'http://127.0.0.1:{port}/', headers={'X-Auth-Token': 'teal-heron-7'})\nurllib.request.urlopen(request); server.shutdown()",
        leaks=("teal-heron-7",),
    ),
    _channel(
        "Flask: a token without its scheme, a password, a cookie",
        "import logging\nfrom flask import Flask, request\napp = Flask('x')\n@app.post('/v1/chat')\ndef f():\n    app.logger.warning('from %s, %s', request.authorization.password or request.authorization.token, request.cookies.get('sid')); return 'ok'\nfrom werkzeug.serving import make_server\nserver = make_server('127.0.0.1', port, app)\nthreading.Thread(target=server.serve_forever, daemon=True).start()\nfor kind in ('Bearer teal-heron-7', 'Basic aW5lczpncmV5LW90dGVyLTk='):\n    headers = {'Authorization': kind, 'Cookie': 'theme=dark; sid=blue-whale-3'}\n    urllib.request.urlopen(urllib.request.Request(f'http://127.0.0.1:{port}/v1/chat', data=b'x', headers=headers))\nserver.shutdown()",
        leaks=("teal-heron-7", "grey-otter-9", "blue-whale-3"),
    ),
    _channel(
        "FastAPI: a body that was packed",
        "import gzip\nfrom fastapi import FastAPI, Request\napp = FastAPI()\n@app.post('/v1/chat')\nasync def f(r: Request):\n    print(gzip.decompress(await r.body())); return {}\nplain_ask = ask\ndef ask(port):\n    global BODY\n    class Packed(str):\n        def encode(self): return gzip.compress(str.encode(self))\n    BODY = Packed(BODY); plain_ask(port)\n"
        + _UVICORN,
        leaks=("Her otter is the grey one",),
    ),
]
