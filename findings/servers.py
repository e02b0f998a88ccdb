"""Starts a public server on a free port of this machine, asks it by hand on a socket, ends it."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ASGI = """
import asyncio, json
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    said = json.dumps({"path": scope["path"], "body": len(body)}).encode()
    query = scope["query_string"]
    if b"slow" in query:
        await asyncio.sleep(0.2)
    lengths = [] if b"stream" in query else [(b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": lengths})
    await send({"type": "http.response.body", "body": said, "more_body": b"stream" in query})
    if b"stream" in query:
        await send({"type": "http.response.body", "body": b""})
"""
WSGI = """
import json, time
def app(environ, start_response):
    length, query = environ.get("CONTENT_LENGTH"), environ.get("QUERY_STRING", "")
    if length:
        body = environ["wsgi.input"].read(int(length))
    else:
        body = environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else b""
    said = json.dumps({"path": environ["PATH_INFO"], "body": len(body)}).encode()
    if "slow" in query:
        time.sleep(0.2)
    start_response("200 OK", [] if "stream" in query else [("Content-Length", str(len(said)))])
    return iter([said]) if "stream" in query else [said]
"""
OWN = {
    "aiohttp": '''
import asyncio, json
from aiohttp import web
async def answer(request):
    body = await request.read()
    if "slow" in request.query_string:
        await asyncio.sleep(0.2)
    return web.json_response({"path": request.path, "body": len(body)})
app = web.Application()
app.router.add_route("*", "/{path:.*}", answer)
web.run_app(app, host="127.0.0.1", port=PORT, print=None, ssl_context=TLS)
''',
    "tornado": '''
import asyncio, tornado.web
class Answer(tornado.web.RequestHandler):
    async def get(self, *_):
        if "slow" in self.request.query:
            await asyncio.sleep(0.2)
        self.write({"path": self.request.path, "body": len(self.request.body)})
    post = get
async def main():
    tornado.web.Application([(".*", Answer)]).listen(PORT, "127.0.0.1", ssl_options=TLS)
    await asyncio.Event().wait()
asyncio.run(main())
''',
    "waitress": "import waitress, wsgi; waitress.serve(wsgi.app, host='127.0.0.1', port=PORT)",
    "cheroot": "from cheroot.wsgi import Server; import wsgi; Server(('127.0.0.1', PORT), wsgi.app).start()",
    "gevent": "from gevent.pywsgi import WSGIServer; import wsgi; "
    "WSGIServer(('127.0.0.1', PORT), wsgi.app, log=None, **FILES).serve_forever()",
    "eventlet": "import eventlet, eventlet.wsgi, wsgi; "
    "eventlet.wsgi.server(eventlet.listen(('127.0.0.1', PORT)), wsgi.app, log_output=False)",
    "werkzeug": "from werkzeug.serving import run_simple; import wsgi; "
    "run_simple('127.0.0.1', PORT, wsgi.app, threaded=True)",
    "twisted": "from twisted.internet import reactor; from twisted.web.server import Site; "
    "from twisted.web.wsgi import WSGIResource; import wsgi; "
    "reactor.listenTCP(PORT, Site(WSGIResource(reactor, reactor.getThreadPool(), wsgi.app)), interface='127.0.0.1'); "
    "reactor.run()",
}  # fmt: skip
UVICORN = "uvicorn asgi:app --port PORT --log-level error"
GUNICORN = "gunicorn -b 127.0.0.1:PORT --log-level error --no-control-socket"
COMMANDS = {
    "uvicorn, httptools": f"{UVICORN} --http httptools",
    "uvicorn, h11": f"{UVICORN} --http h11",
    "uvicorn, two workers": f"{UVICORN} --workers 2",
    "hypercorn": "hypercorn asgi:app -b 127.0.0.1:PORT --log-level error",
    "granian": "granian --interface asgi --port PORT --log-level error asgi:app",
    "daphne": "daphne -v 0 -p PORT asgi:app",
    "gunicorn, sync": f"{GUNICORN} wsgi:app",
    "gunicorn, gthread": f"{GUNICORN} -k gthread --threads 4 wsgi:app",
    "gunicorn, asgi": f"{GUNICORN} -k asgi asgi:app",
}
HTTPS = {
    "uvicorn": " --ssl-certfile cert.pem --ssl-keyfile key.pem",
    "hypercorn": " --certfile cert.pem --keyfile key.pem",
    "granian": " --ssl-certificate cert.pem --ssl-keyfile key.pem",
    "gunicorn": " --certfile cert.pem --keyfile key.pem",
}


@contextmanager
def serving(name, https=False):
    """Yields the port of a server that accepts connections."""
    for module, text in (("asgi", ASGI), ("wsgi", WSGI)):
        Path(f"{module}.py").write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        command(name, port, https), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(1)  # Several workers: all of them.
        yield port
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()


def command(name, port, https):
    if name in OWN:
        files = {"certfile": "cert.pem", "keyfile": "key.pem"} if https else {}
        tls = "import ssl; TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); TLS.load_cert_chain('cert.pem', 'key.pem')"
        head = f"PORT = {port}; FILES = {files}; {tls if https else 'TLS = None'}\n"
        return [sys.executable, "-c", head + OWN[name]]
    if https and name == "daphne":
        return f"daphne -v 0 -e ssl:{port}:privateKey=key.pem:certKey=cert.pem asgi:app".split()
    return (COMMANDS[name].replace("PORT", str(port)) + (HTTPS[name.partition(",")[0]] if https else "")).split()


def ask(port, *pieces, done=False, within_s=1.5):
    """Sends pieces on one connection, reads after each until it is quiet; what came, and whether the server closed it."""
    came, closed = [], False
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for piece in pieces:
            try:
                connection.sendall(piece)
                if done:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                closed = True
            found, closed = read(connection, within_s)
            came.append(found)
    return came, closed


def read(connection, within_s):
    found = b""
    connection.settimeout(within_s)
    try:
        while piece := connection.recv(65536):
            found += piece
            connection.settimeout(0.4)
        return found, True
    except TimeoutError:
        return found, False
    except OSError:
        return found, True
