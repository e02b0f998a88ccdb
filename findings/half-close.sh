#!/usr/bin/env bash
# A device that says "I send no more" after its request (it shuts its sending half down, as netcat and small TCP stacks do)
# and waits for the answer, which takes the app 0.2 s. TCP and HTTP allow that.
# Guessed: servers on asyncio drop the answer, hypercorn among them; granian (Rust) and the threaded ones send it.
# Seen: granian drops it too; hypercorn, on asyncio, sends it.
source "$(dirname "$0")/start.sh"
install uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0 hypercorn==0.18.0 granian==2.8.9 daphne==4.2.3 aiohttp==3.14.5 \
  tornado==6.6.1 gunicorn==27.0.1 waitress==3.0.2 cheroot==11.1.2 gevent==26.9.0
asked() {
  python - "$1" <<'PYTHON'
import sys, servers
with servers.serving(sys.argv[1]) as port:
    [found], _ = servers.ask(port, b"GET /?slow HTTP/1.1\r\nHost: x\r\n\r\n", done=True)
print("answered" if found.startswith(b"HTTP/1.1 200") else "no answer" if not found else found[:40])
PYTHON
}
for server in "uvicorn, httptools" "uvicorn, h11" granian daphne aiohttp tornado "gunicorn, asgi"; do
  holds "$server" "no answer" "$(asked "$server")"
done
for server in hypercorn "gunicorn, gthread" waitress cheroot gevent; do
  holds "$server" "answered" "$(asked "$server")"
done
finish
