#!/usr/bin/env bash
# Devices come back with the TLS session that they were given, which saves most of a handshake. N devices connect in turn,
# then all come back in the same order: how many are resumed?
# Guessed: none with gunicorn's gthread, half with two workers of uvicorn, all everywhere else.
# Seen: daphne and gevent resume none either. granian resumes all of 128, and none of 129: it remembers 256 sessions and gives
# two to each device, so a fleet that comes round in turn finds its own forgotten.
source "$(dirname "$0")/start.sh"
install uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0 hypercorn==0.18.0 granian==2.8.9 daphne==4.2.3 aiohttp==3.14.5 \
  tornado==6.6.1 gunicorn==27.0.1 gevent==26.9.0 trustme==1.2.1 pyOpenSSL==26.4.0 service-identity==26.1.0
python - <<'PYTHON'
import trustme
authority = trustme.CA()
issued = authority.issue_cert("localhost")
authority.cert_pem.write_to_path("ca.pem")
issued.private_key_pem.write_to_path("key.pem")
issued.cert_chain_pems[0].write_to_path("cert.pem")
PYTHON
asked() {
  python - "$1" "$2" <<'PYTHON'
import socket, ssl, sys, servers
context = ssl.create_default_context(cafile="ca.pem")
def poll(port, session):
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost", session=session) as tls:
        tls.settimeout(5)
        tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try:
            while tls.recv(65536):
                pass
        except (ssl.SSLError, OSError):
            pass
        return tls.session, tls.session_reused
number = int(sys.argv[2])
with servers.serving(sys.argv[1], https=True) as port:
    sessions = [poll(port, None)[0] for _ in range(number)]
    reused = sum(poll(port, session)[1] for session in sessions)
some = "some" if 0.2 * number < reused < 0.8 * number else f"{reused}"
print(some, "of", number)
PYTHON
}
for server in "uvicorn, httptools" hypercorn "gunicorn, asgi" aiohttp tornado; do
  holds "$server" "200 of 200" "$(asked "$server" 200)"
done
for server in daphne gevent "gunicorn, gthread"; do
  holds "$server" "0 of 200" "$(asked "$server" 200)"
done
holds "uvicorn, two workers" "some of 200" "$(asked "uvicorn, two workers" 200)"
holds granian "128 of 128" "$(asked granian 128)"
holds granian "0 of 129" "$(asked granian 129)"
finish
