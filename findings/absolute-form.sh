#!/usr/bin/env bash
# A device behind a proxy asks with the whole address: GET http://host/a/b?c=1 HTTP/1.1, which a server must accept
# (RFC 9112, 3.2.2). Which path does the app see?
# Guessed: uvicorn and hypercorn hand the whole address on; granian, gunicorn, tornado and daphne give /a/b.
# Seen: it depends on uvicorn's parser and on gunicorn's worker; tornado and daphne hand it on; twisted cuts its first letter.
source "$(dirname "$0")/start.sh"
install uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0 hypercorn==0.18.0 granian==2.8.9 daphne==4.2.3 aiohttp==3.14.5 \
  tornado==6.6.1 gunicorn==27.0.1 waitress==3.0.2 cheroot==11.1.2 gevent==26.9.0 eventlet==0.41.3 twisted==26.10.0
asked() {
  python - "$1" <<'PYTHON'
import json, sys, servers
with servers.serving(sys.argv[1]) as port:
    [found], _ = servers.ask(port, b"GET http://host/a/b?c=1 HTTP/1.1\r\nHost: host\r\n\r\n")
head, _, body = found.partition(b"\r\n\r\n")
print(json.loads(body)["path"] if b" 200" in head[:12] else head.split(b"\r\n")[0].decode())
PYTHON
}
for server in "uvicorn, httptools" granian aiohttp "gunicorn, gthread" waitress; do
  holds "$server" "/a/b" "$(asked "$server")"
done
for server in "uvicorn, h11" hypercorn daphne tornado "gunicorn, asgi" gevent eventlet; do
  holds "$server" "http://host/a/b" "$(asked "$server")"
done
holds twisted "/ttp://host/a/b" "$(asked twisted)"
holds cheroot "HTTP/1.1 400 Bad Request" "$(asked cheroot)"
finish
