#!/usr/bin/env bash
# Old clients end a POST with an empty line that its length does not count. RFC 9112, 2.2: a server should ignore at least
# one empty line before a request. Does the next request on that connection get its answer?
# Guessed: everywhere.
# Seen: h11 (so hypercorn and uvicorn with it), gevent and eventlet end the connection: a new one, and over TLS a new
# handshake, for every poll. uvicorn with httptools and the rest go on.
source "$(dirname "$0")/start.sh"
install uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0 hypercorn==0.18.0 granian==2.8.9 daphne==4.2.3 aiohttp==3.14.5 \
  tornado==6.6.1 gunicorn==27.0.1 waitress==3.0.2 cheroot==11.1.2 gevent==26.9.0 eventlet==0.41.3
asked() {
  python - "$1" <<'PYTHON'
import sys, servers
post = b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\r\n"
with servers.serving(sys.argv[1]) as port:
    came, closed = servers.ask(port, post, b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
print("goes on" if b'"/2"' in came[-1] else "closed" if closed else came)
PYTHON
}
for server in "uvicorn, httptools" granian daphne aiohttp tornado "gunicorn, gthread" "gunicorn, asgi" waitress cheroot; do
  holds "$server" "goes on" "$(asked "$server")"
done
for server in "uvicorn, h11" hypercorn gevent eventlet; do
  holds "$server" "closed" "$(asked "$server")"
done
finish
