#!/usr/bin/env bash
# mitmproxy saves what devices ask as a HAR file. HAR 1.2: content.size is the length after decoding, bodySize that on the wire.
# Guessed: that is what it writes for a gzip answer of 55 bytes that decodes to 7,000.
# Seen: size is 55 too; the difference stands under "compression" all the same. Who makes a check of lengths from size gets one
# that every right answer fails.
source "$(dirname "$0")/start.sh"
install mitmproxy==11.0.2
cat > origin.py <<'PYTHON'
import gzip, http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = gzip.compress(b'{"a":1}' * 1000, mtime=0)
        self.send_response(200)
        for name, value in {"Content-Encoding": "gzip", "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python - <<'PYTHON' > found
import json, os, socket, subprocess, sys, time, urllib.request
origin = subprocess.Popen([sys.executable, "origin.py"], stdout=subprocess.PIPE)
port = int(origin.stdout.readline())
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    by = free.getsockname()[1]
proxy = subprocess.Popen(["mitmdump", "--listen-host", "127.0.0.1", "-p", str(by), "--set", "hardump=out.har", "-q",
                          "--set", "confdir=conf"])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{by}"}))
for _ in range(100):
    try:
        opener.open(f"http://127.0.0.1:{port}/").read()
        break
    except OSError:
        time.sleep(0.2)
proxy.terminate()
proxy.wait(20)
origin.kill()
answer = json.load(open("out.har"))["log"]["entries"][0]["response"]
print(answer["bodySize"] == answer["content"]["size"], len(answer["content"]["text"]),
      answer["content"]["size"] + answer["content"]["compression"])
PYTHON
holds "size is bodySize; text; size + compression" "True 7000 7000" "$(cat found)"
finish
