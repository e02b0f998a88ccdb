#!/usr/bin/env bash
# A device that speaks HTTP/1.0, as MicroPython's clients do, polls an app that gives no length. A server must not send chunks
# to it (RFC 9112, 6.1): it would take the sizes between them for content.
# Guessed: uvicorn with httptools sends chunks, all others end the body by closing.
# Seen: so does werkzeug; uvicorn with h11 does not.
source "$(dirname "$0")/start.sh"
install uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0 hypercorn==0.18.0 granian==2.8.9 daphne==4.2.3 gunicorn==27.0.1 waitress==3.0.2 \
  cheroot==11.1.2 gevent==26.9.0 werkzeug==3.1.9
asked() {
  python - "$1" <<'PYTHON'
import sys, servers
with servers.serving(sys.argv[1]) as port:
    [found], closed = servers.ask(port, b"GET /?stream HTTP/1.0\r\nHost: x\r\n\r\n")
head, _, body = found.partition(b"\r\n\r\n")
chunked = b"chunked" in head.lower()
print("chunks" if chunked else "closed at its end" if closed and body.startswith(b"{") else found)
PYTHON
}
for server in "uvicorn, httptools" werkzeug; do
  holds "$server" "chunks" "$(asked "$server")"
done
for server in "uvicorn, h11" hypercorn granian daphne "gunicorn, gthread" "gunicorn, asgi" waitress cheroot gevent; do
  holds "$server" "closed at its end" "$(asked "$server")"
done
finish
