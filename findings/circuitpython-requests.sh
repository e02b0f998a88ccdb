#!/usr/bin/env bash
# CircuitPython's HTTP client, which also runs on CPython, polls a server on a kept connection.
# Guessed: a request leaves in one piece, and a poll takes as long as with http.client.
# Seen: the head is sent in a dozen pieces of 1 to 22 bytes. Nagle's algorithm holds the second one back until the server has
# acknowledged the first, which its kernel puts off: 44 ms a poll instead of 0.2, with every server. A device's figure that
# looks like the server's.
source "$(dirname "$0")/start.sh"
install adafruit-circuitpython-requests==4.1.17 adafruit-circuitpython-connectionmanager==3.1.8 uvicorn==0.54.0 httptools==0.9.0 \
  waitress==3.0.2
asked() {
  python - "$1" "$2" <<'PYTHON'
import http.client, socket, ssl, statistics, sys, time, adafruit_requests, servers
def polls(poll, number=30):
    took = []
    for _ in range(number):
        begun = time.perf_counter()
        poll()
        took.append(time.perf_counter() - begun)
    return statistics.median(took[5:])
with servers.serving(sys.argv[2]) as port:
    session = adafruit_requests.Session(socket, ssl.create_default_context())
    plain = http.client.HTTPConnection("127.0.0.1", port)
    def by_device():
        with session.get(f"http://127.0.0.1:{port}/") as answer:
            answer.content
    def by_python():
        plain.request("GET", "/")
        plain.getresponse().read()
    took_s = polls(by_device if sys.argv[1] == "circuitpython" else by_python)
print("40 ms or more" if took_s >= 0.04 else "less")
PYTHON
}
for server in "uvicorn, httptools" waitress; do
  holds "CircuitPython, $server" "40 ms or more" "$(asked circuitpython "$server")"
  holds "http.client, $server" "less" "$(asked python "$server")"
done
finish
