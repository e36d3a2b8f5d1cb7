"""Servers and frameworks by the dozen: what comes in by a request, and what handlers do with it.

Each is asked once, for what it has read, and once so that it fails. The answer has to be the same.
"""

from __future__ import annotations

from channel import Channel

# What is written of a request. Nobody has protected anything.
LEAKS = ("Her otter is the grey one", "Their gull is the white one", "teal-heron-7")

_ASK = """
import logging, os, signal, socket, subprocess, sys, threading, time
import urllib.error, urllib.parse, urllib.request
QUERY = "Their gull is the white one, it shouts over the canary roofs"
HEADERS = {"X-Auth-Token": "teal-heron-7", "Content-Type": "text/plain"}
def free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
port = free()
def url(path):
    return f"http://127.0.0.1:{port}{path}?q=" + urllib.parse.quote(QUERY)
def ask():
    request = urllib.request.Request(url("/say"), data=BODY.encode(), headers=HEADERS)
    for _ in range(400):
        try:
            answer = urllib.request.urlopen(request, timeout=20).read().decode()
            break
        except urllib.error.HTTPError as error:
            answer = f"status {error.code}"
            break
        except OSError: time.sleep(0.05)
    request = urllib.request.Request(url("/fail"), data=BODY.encode(), headers=HEADERS)
    try: urllib.request.urlopen(request, timeout=20).read()
    except OSError: pass
    global status
    status = 0 if answer == BODY else 3
def serve(*command, **kwargs):
    server = subprocess.Popen([sys.executable, *command], **kwargs)
    ask()
    server.send_signal(signal.SIGTERM)
    try: server.wait(20)
    except subprocess.TimeoutExpired: server.kill(); server.wait()
    sys.exit(status)
def inside(run):
    threading.Thread(target=run, daemon=True).start()
    ask()
    sys.stdout.flush()
    sys.exit(status)
"""

# What an application does with what it has read.
_SAY = """
import logging
logging.basicConfig(level=20)
def say(path, query, header, body):
    body = body if isinstance(body, str) else bytes(body).decode()
    logging.info("asked %s with %s by %s", body, query, header)
    print("body", body, flush=True)
    if path.endswith("fail"): raise ValueError(f"cannot {body}")
    return body
"""
_ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind.endswith("shutdown"): return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    header = dict(scope["headers"])[b"x-auth-token"]
    text = say(scope["path"], scope["query_string"], header, body)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})
"""
_WSGI = """
def app(environ, start):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    text = say(environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_X_AUTH_TOKEN"], body)
    start("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
"""


def _served(
    name: str, needs: str, code: str, server: str, *, leaks: tuple[str, ...] = LEAKS
) -> Channel:
    """An application in a module of its own, served by another program."""
    return Channel(
        name,
        f"{_ASK}open('service.py', 'w').write({_SAY + code!r})\n{server}",
        leaks=leaks,
        needs=needs,
    )


def _inside(name: str, needs: str, code: str, *, leaks: tuple[str, ...] = LEAKS) -> Channel:
    """An application that is served by a thread of the program."""
    return Channel(name, _ASK + _SAY + code, leaks=leaks, needs=needs)


_ENCODED = (*LEAKS[:1], "Their%20gull%20is%20the", LEAKS[2])

CHANNELS = [
    _served(
        "hypercorn: ASGI",
        "hypercorn",
        _ASGI,
        "serve('-m', 'hypercorn', '-b', f'127.0.0.1:{port}', '--access-logfile', '-', 'service:app')",
        leaks=_ENCODED,
    ),
    _served(
        "hypercorn: WSGI",
        "hypercorn",
        _WSGI,
        "serve('-m', 'hypercorn', '-b', f'127.0.0.1:{port}', 'wsgi:service:app')",
        leaks=_ENCODED,
    ),
    _served(
        "daphne: ASGI",
        "daphne",
        _ASGI,
        "serve('-m', 'daphne', '-b', '127.0.0.1', '-p', str(port), 'service:app')",
        leaks=_ENCODED,
    ),
    _served(
        "granian: ASGI",
        "granian",
        _ASGI,
        "serve('-m', 'granian', '--interface', 'asgi', '--port', str(port), '--access-log', 'service:app')",
        leaks=_ENCODED,
    ),
    _served(
        "granian: WSGI",
        "granian",
        _WSGI,
        "serve('-m', 'granian', '--interface', 'wsgi', '--port', str(port), 'service:app')",
        leaks=_ENCODED,
    ),
    _served(
        "granian: RSGI",
        "granian",
        "async def app(scope, proto):\n    body = await proto()\n    text = say(scope.path, scope.query_string, scope.headers['x-auth-token'], body)\n    proto.response_str(200, [], text)\n",
        "serve('-m', 'granian', '--interface', 'rsgi', '--port', str(port), 'service:app')",
        leaks=_ENCODED,
    ),
    _served(
        "gunicorn: ASGI",
        "gunicorn.asgi",
        _ASGI,
        "serve('-m', 'gunicorn', '-k', 'asgi', '-b', f'127.0.0.1:{port}', '--access-logfile', '-', 'service:app')",
        leaks=_ENCODED,
    ),
    _inside(
        "waitress: WSGI",
        "waitress",
        _WSGI + "import waitress\ninside(lambda: waitress.serve(app, host='127.0.0.1', port=port))",
        leaks=_ENCODED,
    ),
    _inside(
        "werkzeug: WSGI",
        "werkzeug",
        _WSGI
        + "from werkzeug.serving import run_simple\ninside(lambda: run_simple('127.0.0.1', port, app))",
        leaks=_ENCODED,
    ),
    _inside(
        "cheroot: WSGI",
        "cheroot",
        _WSGI + "from cheroot.wsgi import Server\ninside(Server(('127.0.0.1', port), app).start)",
        leaks=_ENCODED,
    ),
    _inside(
        "CherryPy: its own server",
        "cherrypy",
        "import cherrypy\nclass Root:\n    @cherrypy.expose\n    def default(self, *path, **query):\n        r = cherrypy.request\n        return say(path[0], query, r.headers['X-Auth-Token'], r.body.read())\ncherrypy.config.update({'server.socket_host': '127.0.0.1', 'server.socket_port': port, 'engine.autoreload.on': False})\ncherrypy.tree.mount(Root(), '/')\ncherrypy.engine.start(); ask(); cherrypy.engine.exit(); sys.exit(status)",
    ),
    _served(
        "gevent: WSGI",
        "gevent",
        _WSGI
        + "import sys\nfrom gevent.pywsgi import WSGIServer\nWSGIServer(('127.0.0.1', int(sys.argv[1])), app).serve_forever()\n",
        "serve('service.py', str(port))",
        leaks=_ENCODED,
    ),
    _inside(
        "eventlet: WSGI",
        "eventlet",
        _WSGI
        + "import eventlet, eventlet.wsgi\n# In the main thread: the interpreter must not end with greenlets in another one.\neventlet.spawn(eventlet.wsgi.server, eventlet.listen(('127.0.0.1', port)), app)\nasking = threading.Thread(target=ask)\nasking.start()\nwhile asking.is_alive(): eventlet.sleep(0.01)\nsys.stdout.flush(); sys.exit(status)",
        leaks=_ENCODED,
    ),
    _inside(
        "Bottle: its own server",
        "bottle",
        "import bottle\n@bottle.post('/<path>')\ndef f(path):\n    r = bottle.request\n    return say(path, r.query.q, r.get_header('X-Auth-Token'), r.body.read())\ninside(lambda: bottle.run(host='127.0.0.1', port=port))",
    ),
    _inside(
        "Pyramid: waitress",
        "pyramid",
        "from pyramid.config import Configurator\nfrom pyramid.response import Response\nimport waitress\ndef f(r): return Response(say(r.matchdict['path'], r.params['q'], r.headers['X-Auth-Token'], r.body))\nwith Configurator() as c:\n    c.add_route('say', '/{path}'); c.add_view(f, route_name='say'); app = c.make_wsgi_app()\ninside(lambda: waitress.serve(app, host='127.0.0.1', port=port))",
    ),
    _inside(
        "Falcon: WSGI",
        "falcon",
        "import falcon, waitress\nclass R:\n    def on_post(self, r, a, path): a.text = say(path, r.params, r.get_header('X-Auth-Token'), r.bounded_stream.read())\napp = falcon.App(); app.add_route('/{path}', R())\ninside(lambda: waitress.serve(app, host='127.0.0.1', port=port))",
    ),
    _served(
        "Falcon: ASGI",
        "falcon",
        "import falcon.asgi\nclass R:\n    async def on_post(self, r, a, path): a.text = say(path, r.params, r.get_header('X-Auth-Token'), await r.stream.read())\napp = falcon.asgi.App(); app.add_route('/{path}', R())\n",
        "serve('-m', 'uvicorn', '--port', str(port), 'service:app')",
    ),
    _served(
        "Quart: its own server",
        "quart",
        "from quart import Quart, request\napp = Quart('x')\n@app.post('/<path>')\nasync def f(path): return say(path, request.args['q'], request.headers['X-Auth-Token'], await request.get_data())\nif __name__ == '__main__':\n    import sys\n    app.run(port=int(sys.argv[1]))\n",
        "serve('service.py', str(port))",
    ),
    _served(
        "Sanic: its own server",
        "sanic",
        "from sanic import Sanic, text\napp = Sanic('x')\n@app.post('/<path>')\nasync def f(r, path): return text(say(path, r.args.get('q'), r.headers['X-Auth-Token'], r.body))\nif __name__ == '__main__':\n    import sys\n    app.run(port=int(sys.argv[1]), single_process=True, access_log=True, motd=False)\n",
        "serve('service.py', str(port))",
    ),
    _served(
        "Sanic: body in parts",
        "sanic",
        "from sanic import Sanic, text\napp = Sanic('x')\n@app.post('/<path>', stream=True)\nasync def f(r, path):\n    body = b''\n    while (part := await r.stream.read()) is not None: body += part\n    return text(say(path, r.args.get('q'), r.headers['X-Auth-Token'], body))\nif __name__ == '__main__':\n    import sys\n    app.run(port=int(sys.argv[1]), single_process=True, access_log=True, motd=False)\n",
        "serve('service.py', str(port))",
    ),
    _served(
        "Litestar: validation and handlers",
        "litestar",
        "from litestar import Litestar, Request, post\n@post('/{path:str}', status_code=200, media_type='text/plain')\nasync def f(request: Request, path: str, q: str) -> str:\n    return say(path, q, request.headers['X-Auth-Token'], await request.body())\napp = Litestar([f], debug=True)\n",
        "serve('-m', 'uvicorn', '--port', str(port), 'service:app')",
    ),
    _served(
        "BlackSheep: handlers",
        "blacksheep",
        "from blacksheep import Application, Request, text\napp = Application(show_error_details=True)\n@app.router.post('/{path}')\nasync def f(request: Request, path: str):\n    header = request.get_first_header(b'X-Auth-Token')\n    return text(say(path, request.query['q'][0], header, await request.read()))\n",
        "serve('-m', 'uvicorn', '--port', str(port), 'service:app')",
    ),
    _served(
        "Robyn: handlers",
        "robyn",
        "from robyn import Robyn, Request\napp = Robyn('service.py')\n@app.post('/:path')\ndef f(request: Request):\n    return say(request.path_params['path'], request.query_params.get('q', ''), request.headers.get('x-auth-token'), request.body)\nif __name__ == '__main__':\n    import os\n    app.start(host='127.0.0.1', port=int(os.environ['ROBYN_PORT']))\n",
        "serve('service.py', env={**os.environ, 'ROBYN_PORT': str(port)})",
        leaks=_ENCODED,
    ),
    *(
        _served(
            f"Django: {name}",
            "django",
            "import os, sys\nfrom django.conf import settings\nif not settings.configured:\n    settings.configure(DEBUG=True, ALLOWED_HOSTS=['*'], ROOT_URLCONF=__name__, SECRET_KEY='not-one', MIDDLEWARE=[])\nimport django\ndjango.setup()\nfrom django.http import HttpResponse\nfrom django.urls import path\ndef f(r, path): return HttpResponse(say(path, r.GET['q'], r.headers['X-Auth-Token'], r.body), content_type='text/plain')\nurlpatterns = [path('<path>', f)]\nfrom django.core.asgi import get_asgi_application\nfrom django.core.wsgi import get_wsgi_application\nasgi, wsgi = get_asgi_application(), get_wsgi_application()\nif __name__ == '__main__':\n    from django.core.management import execute_from_command_line\n    execute_from_command_line(sys.argv)\n",
            server,
        )
        for name, server in (
            ("runserver", "serve('service.py', 'runserver', '--noreload', str(port))"),
            ("uvicorn", "serve('-m', 'uvicorn', '--port', str(port), 'service:asgi')"),
            ("gunicorn", "serve('-m', 'gunicorn', '-b', f'127.0.0.1:{port}', 'service:wsgi')"),
        )
    ),
    _inside(
        "Twisted: resources",
        "twisted",
        "from twisted.internet import reactor\nfrom twisted.python import log\nfrom twisted.web import resource, server\nlog.startLogging(sys.stdout)\nclass R(resource.Resource):\n    isLeaf = True\n    def render_POST(self, r):\n        return say(r.path.decode(), r.args, r.getHeader('X-Auth-Token'), r.content.read()).encode()\nreactor.listenTCP(port, server.Site(R()), interface='127.0.0.1')\ninside(lambda: reactor.run(installSignalHandlers=False))",
    ),
    _inside(
        "h11: a server of one's own",
        "h11",
        "import h11\ndef serve_one(s):\n    c = h11.Connection(h11.SERVER); body = b''; request = None\n    while True:\n        e = c.next_event()\n        if e is h11.NEED_DATA: c.receive_data(s.recv(32)); continue\n        if type(e) is h11.Request: request = e\n        elif type(e) is h11.Data: body += bytes(e.data)\n        elif type(e) is h11.EndOfMessage: break\n        else: return\n    path, _, query = request.target.decode().partition('?')\n    text = say(path, query, dict(request.headers)[b'x-auth-token'], body).encode()\n    s.sendall(c.send(h11.Response(status_code=200, headers=[('Content-Length', str(len(text)))])) + c.send(h11.Data(data=text)))\n    s.close()\ndef run():\n    with socket.create_server(('127.0.0.1', port)) as server:\n        while True:\n            s = server.accept()[0]\n            threading.Thread(target=serve_one, args=[s]).start()\ninside(run)",
        leaks=_ENCODED,
    ),
    _inside(
        "httptools: a server of one's own",
        "httptools",
        "import asyncio, httptools\nclass P(asyncio.Protocol):\n    def connection_made(self, t): self.t = t; self.p = httptools.HttpRequestParser(self); self.body = b''; self.headers = {}; self.url = b''\n    def data_received(self, data): self.p.feed_data(data)\n    def on_url(self, url): self.url += url\n    def on_header(self, name, value): self.headers[name.lower()] = value\n    def on_body(self, body): self.body += body\n    def on_message_complete(self):\n        u = httptools.parse_url(self.url)\n        text = say(u.path.decode(), u.query, self.headers[b'x-auth-token'], self.body).encode()\n        self.t.write(b'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n%s' % (len(text), text)); self.t.close()\nasync def main():\n    server = await asyncio.get_running_loop().create_server(P, '127.0.0.1', port)\n    await server.serve_forever()\ninside(lambda: asyncio.run(main()))",
        leaks=_ENCODED,
    ),
    _inside(
        "h2: a server of one's own",
        "h2",
        "import h2.config, h2.connection, h2.events\nhere, there = socket.socketpair()\nclient = h2.connection.H2Connection(); client.initiate_connection()\nclient.send_headers(1, [(':method', 'POST'), (':path', url('/say').partition(str(port))[2]), (':scheme', 'http'), (':authority', 'a'), ('x-auth-token', 'teal-heron-7')])\nclient.send_data(1, BODY.encode(), end_stream=True)\nhere.sendall(client.data_to_send())\nserver = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False)); server.initiate_connection()\nheaders, body, done = {}, b'', False\nwhile not done:\n    for e in server.receive_data(there.recv(64)):\n        if isinstance(e, h2.events.RequestReceived): headers = dict(e.headers)\n        elif isinstance(e, h2.events.DataReceived): body += e.data\n        elif isinstance(e, h2.events.StreamEnded): done = True\nsay('', headers[b':path'], headers[b'x-auth-token'], body)",
        leaks=_ENCODED,
    ),
    _inside(
        "websockets: messages and handshake",
        "websockets",
        "import asyncio, websockets\nfrom websockets.asyncio.client import connect\nfrom websockets.asyncio.server import serve\nasync def f(s):\n    path, _, query = s.request.path.partition('?')\n    await s.send(say(path, query, s.request.headers['X-Auth-Token'], await s.recv()))\nasync def main():\n    async with serve(f, '127.0.0.1', port):\n        async with connect(url('/say').replace('http', 'ws'), additional_headers=HEADERS) as s:\n            await s.send(BODY)\n            assert await s.recv() == BODY\nasyncio.run(main())",
        leaks=_ENCODED,
    ),
    _inside(
        "websockets: threads",
        "websockets",
        "from websockets.sync.client import connect\nfrom websockets.sync.server import serve\ndef f(s): s.send(say('', s.request.path, s.request.headers['X-Auth-Token'], ''.join(s.recv_streaming())))\nserver = serve(f, '127.0.0.1', port)\nthreading.Thread(target=server.serve_forever, daemon=True).start()\nwith connect(url('/say').replace('http', 'ws'), additional_headers=HEADERS) as s:\n    s.send([BODY[:30], BODY[30:]])\n    assert s.recv() == BODY\nserver.shutdown()",
        leaks=_ENCODED,
    ),
    *(
        _served(
            f"{name}: WebSocket messages",
            server,
            "async def app(scope, receive, send):\n    if scope['type'] != 'websocket': return\n    await receive(); await send({'type': 'websocket.accept'})\n    message = await receive()\n    text = say('', scope['query_string'], dict(scope['headers'])[b'x-auth-token'], message['text'])\n    await send({'type': 'websocket.send', 'text': text})\n    await receive()\n",
            f"from websockets.sync.client import connect\ndef ask():\n    global status\n    for _ in range(400):\n        try: s = connect(url('/say').replace('http', 'ws'), additional_headers=HEADERS); break\n        except OSError: time.sleep(0.05)\n    with s:\n        s.send(BODY); status = 0 if s.recv() == BODY else 3\nserve({command})",
            leaks=_ENCODED,
        )
        for name, server, command in (
            ("uvicorn", "uvicorn", "'-m', 'uvicorn', '--port', str(port), 'service:app'"),
            (
                "hypercorn",
                "hypercorn",
                "'-m', 'hypercorn', '-b', f'127.0.0.1:{port}', 'service:app'",
            ),
            (
                "granian",
                "granian",
                "'-m', 'granian', '--interface', 'asgi', '--port', str(port), 'service:app'",
            ),
        )
    ),
    _inside(
        "gRPC: threads",
        "grpc",
        "import grpc\nfrom concurrent.futures import ThreadPoolExecutor\nfrom google.protobuf.struct_pb2 import Struct\ndef f(request, context):\n    metadata = dict(context.invocation_metadata())\n    say('', request['q'], metadata['x-auth-token'], request['body']); return request\ndef many(request, context):\n    yield f(request, context)\n    raise ValueError(request['body'])\nserver = grpc.server(ThreadPoolExecutor(2))\nhandlers = {'Say': grpc.unary_unary_rpc_method_handler(f, Struct.FromString, Struct.SerializeToString), 'Many': grpc.unary_stream_rpc_method_handler(many, Struct.FromString, Struct.SerializeToString)}\nserver.add_generic_rpc_handlers([grpc.method_handlers_generic_handler('S', handlers)])\nserver.add_insecure_port(f'127.0.0.1:{port}'); server.start()\nrequest = Struct(); request.update({'q': QUERY, 'body': BODY})\nwith grpc.insecure_channel(f'127.0.0.1:{port}') as channel:\n    call = channel.unary_unary('/S/Say', Struct.SerializeToString, Struct.FromString)\n    assert call(request, metadata=[('x-auth-token', 'teal-heron-7')]) == request\n    call = channel.unary_stream('/S/Many', Struct.SerializeToString, Struct.FromString)\n    try: list(call(request, metadata=[('x-auth-token', 'teal-heron-7')]))\n    except grpc.RpcError: pass\nserver.stop(0).wait()",
    ),
    _inside(
        "gRPC: asyncio",
        "grpc",
        "import asyncio, grpc\nasync def f(requests, context):\n    metadata = dict(context.invocation_metadata())\n    async for request in requests: say('', QUERY, metadata['x-auth-token'], request); yield request\nasync def main():\n    server = grpc.aio.server()\n    handlers = {'Say': grpc.stream_stream_rpc_method_handler(f)}\n    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler('S', handlers)])\n    server.add_insecure_port(f'127.0.0.1:{port}'); await server.start()\n    async with grpc.aio.insecure_channel(f'127.0.0.1:{port}') as channel:\n        call = channel.stream_stream('/S/Say')(iter([BODY.encode()]), metadata=[('x-auth-token', 'teal-heron-7')])\n        assert [m async for m in call] == [BODY.encode()]\n    await server.stop(0)\nasyncio.run(main())",
        leaks=(LEAKS[0], LEAKS[2]),
    ),
]
