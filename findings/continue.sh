#!/usr/bin/env bash
# curl and ESP-IDF ask "Expect: 100-continue" before a large body, and wait up to a second for "100".
# Guessed: one "100 Continue" everywhere, none from werkzeug.
# Seen: werkzeug sends it twice; hypercorn sends one with a Date and no reason, tornado "(Continue)" in brackets. A small
# client that reads a single interim answer takes the second one for the answer.
source "$(dirname "$0")/start.sh"
install uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0 hypercorn==0.18.0 granian==2.8.9 daphne==4.2.3 aiohttp==3.14.5 \
  tornado==6.6.1 gunicorn==27.0.1 waitress==3.0.2 cheroot==11.1.2 gevent==26.9.0 werkzeug==3.1.9
asked() {
  python - "$1" <<'PYTHON'
import re, sys, servers
post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
with servers.serving(sys.argv[1]) as port:
    (found, _), _ = servers.ask(port, post, b"hello")
lines = [line for line in re.sub(rb"(?i)(date|server):[^\r]*", rb"\1", found).decode().split("\r\n") if line]
print(" / ".join(lines))
PYTHON
}
for server in "uvicorn, httptools" granian daphne aiohttp "gunicorn, gthread" "gunicorn, asgi" waitress cheroot gevent; do
  holds "$server" "HTTP/1.1 100 Continue" "$(asked "$server")"
done
holds werkzeug "HTTP/1.1 100 Continue / HTTP/1.1 100 Continue" "$(asked werkzeug)"
holds hypercorn "HTTP/1.1 100  / date / server" "$(asked hypercorn)"
holds tornado "HTTP/1.1 100 (Continue)" "$(asked tornado)"
finish
