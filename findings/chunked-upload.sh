#!/usr/bin/env bash
# A device that does not know the length beforehand sends its body in chunks. A WSGI app may read such a body where the server
# says so ("wsgi.input_terminated"), as Flask does. How many of five bytes arrive?
# Guessed: five everywhere.
# Seen: none with eventlet and twisted, and the answer is 200 all the same: a load test that looks at the status alone calls it
# right.
source "$(dirname "$0")/start.sh"
install gunicorn==27.0.1 waitress==3.0.2 cheroot==11.1.2 gevent==26.9.0 eventlet==0.41.3 twisted==26.10.0 werkzeug==3.1.9
asked() {
  python - "$1" <<'PYTHON'
import json, sys, servers
post = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
with servers.serving(sys.argv[1]) as port:
    [found], _ = servers.ask(port, post)
head, _, body = found.partition(b"\r\n\r\n")
print(head[9:12].decode(), json.loads(body)["body"], "bytes")
PYTHON
}
for server in "gunicorn, sync" "gunicorn, gthread" waitress cheroot gevent werkzeug; do
  holds "$server" "200 5 bytes" "$(asked "$server")"
done
for server in eventlet twisted; do
  holds "$server" "200 0 bytes" "$(asked "$server")"
done
finish
