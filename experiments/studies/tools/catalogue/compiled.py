"""Load tools in C, C++, Go and Erlang: one entry each, and who reads what it prints."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from experiments.studies.tools.catalogue.tool import MAX, Asked, Said, Tool, figure, maybe, unreadable

_MANY = "10000000"
"""Requests, for a tool that must be told a number and is meant to go by the time."""


def _ab(asked: Asked, place: str) -> list[str]:
    # -t sets -n to 50,000, so -n stands after it; without -r the first lost connection ends it.
    times = ["-t", f"{asked.seconds:.0f}", "-n", _MANY, "-s", f"{asked.timeout_s:.0f}"]
    return [place, "-k", "-q", "-r", "-c", str(asked.clients), *times, asked.url]


def read_ab(printed: str, asked: Asked) -> Said:
    """Its percentiles are whole milliseconds; an answer other than 2xx is no failure to it, but a line of its own."""
    complete = int(figure(r"^Complete requests:\s+(\d+)", printed, "ab"))
    failed = int(figure(r"^Failed requests:\s+(\d+)", printed, "ab"))
    others = int(maybe(r"^Non-2xx responses:\s+(\d+)", printed) or 0)
    times = {float(percent): int(ms) / 1e3 for percent, ms in re.findall(r"^\s+(\d+)%\s+(\d+)", printed, re.MULTILINE)}
    rate = maybe(r"^Requests per second:\s+([\d.]+)", printed)
    return Said(complete - failed - others, failed + others, complete, rate, times)


_SIEGE_RC = """\
protocol = HTTP/1.1
connection = keep-alive
timeout = {timeout:.0f}
parser = false
logging = false
verbose = false
quiet = false
json_output = false
gmethod = GET
failures = 1000000
"""


def _siege(asked: Asked, place: str) -> list[str]:
    # Its delay is drawn by lot between none and the one given, so there is no rate that it could be told.
    rc = asked.folder / "siegerc"
    rc.write_text(_SIEGE_RC.format(timeout=asked.timeout_s))
    return [place, f"--rc={rc}", "-b", f"-c{asked.clients}", f"-t{asked.seconds:.0f}S", asked.url]


def read_siege(printed: str, asked: Asked) -> Said:
    """Times in steps of 10 ms, and no percentiles. What it calls transactions includes answers of 4xx, not of 5xx."""
    hits = int(figure(r"^Transactions:\s+(\d+)", printed, "siege"))
    failed = int(figure(r"^Failed transactions:\s+(\d+)", printed, "siege"))
    longest = maybe(r"^Longest transaction:\s+([\d.]+)", printed)
    times = {} if longest is None else {MAX: longest}
    return Said(hits, failed, hits + failed, maybe(r"^Transaction rate:\s+([\d.]+)", printed), times)


def _httperf(asked: Asked, place: str) -> list[str]:
    # Sessions of so many calls, one call after the other with a pause after each answer: what comes next to a device.
    at = urlsplit(asked.url)
    calls = max(1, round(asked.seconds / asked.interval_s))
    sessions = f"--wsess={asked.clients},{calls},{asked.interval_s:g}"
    where = ["--server", str(at.hostname), "--port", str(at.port), "--uri", f"{at.path}?{at.query}"]
    return [place, "--hog", *where, sessions, f"--rate={asked.per_s:g}", f"--timeout={asked.timeout_s:g}"]


def read_httperf(printed: str, asked: Asked) -> Said:
    """Of the times of single answers it gives but a mean; it has percentiles of whole connections, which are no answers'."""
    requests = int(figure(r"^Total: .* requests (\d+) ", printed, "httperf"))
    others = int(sum(map(int, re.findall(r"[345]xx=(\d+)", printed))))
    errors = int(maybe(r"^Errors: total (\d+)", printed) or 0)
    good = int(sum(map(int, re.findall(r"[12]xx=(\d+)", printed))))
    return Said(good, others + errors, requests, maybe(r"^Request rate: ([\d.]+)", printed))


def _hey(asked: Asked, place: str) -> list[str]:
    options = ["-z", f"{asked.seconds:g}s", "-c", str(asked.clients), "-q", f"{asked.rate:g}"]
    return [place, *options, "-t", f"{max(1, asked.timeout_s):.0f}", asked.url]


def read_hey(printed: str, asked: Asked) -> Said:
    """Its status codes, and its errors, which come without one."""
    statuses = re.findall(r"^\s+\[(\d+)\]\s+(\d+) responses$", printed, re.MULTILINE)
    errors = re.findall(r"^\s+\[(\d+)\]\s+(?!\d+ responses$)", printed.partition("Error distribution:")[2], re.MULTILINE)
    if not statuses and not errors:
        raise unreadable("hey", printed)
    good = sum(int(number) for status, number in statuses if status.startswith("2"))
    others = sum(int(number) for _, number in statuses) - good + sum(map(int, errors))
    times = {float(p): float(s) for p, s in re.findall(r"^\s+(\d+)%+ in ([\d.]+) secs", printed, re.MULTILINE)}
    longest = maybe(r"^\s+Slowest:\s+([\d.]+)", printed)
    times |= {} if longest is None else {MAX: longest}
    return Said(good, others, good + others, maybe(r"^\s+Requests/sec:\s+([\d.]+)", printed), times)


def _wrk(asked: Asked, place: str) -> list[str]:
    times = [f"-d{asked.seconds:.0f}s", "--timeout", f"{asked.timeout_s:g}s", "--latency"]
    return [place, "-t1", f"-c{asked.clients}", *times, asked.url]


def read_wrk(printed: str, asked: Asked) -> Said:
    """Its requests, and the lines that it adds where something failed; wrk2 and zrk print the same."""
    requests = int(figure(r"(\d+) requests in", printed, "wrk"))
    others = int(maybe(r"Non-2xx or 3xx responses: (\d+)", printed) or 0)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    failed = others + (sum(map(int, errors.groups())) if errors else 0)
    rows = re.findall(r"^\s+(\d+(?:\.\d+)?)%\s+([\d.]+)(us|ms|s|m)\s*$", printed, re.MULTILINE)
    times = {float(percent): float(value) * _UNITS[unit] for percent, value, unit in rows}
    if longest := re.search(r"^\s+Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s|m)\s", printed, re.MULTILINE):
        times.setdefault(MAX, float(longest[1]) * _UNITS[longest[2]])
    return Said(requests - others, failed, requests, maybe(r"^Requests/sec:\s+([\d.]+)", printed), times)


_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def _wrk2(asked: Asked, place: str) -> list[str]:
    return [*_wrk(asked, place)[:-1], f"-R{asked.per_s:g}", asked.url]


_CONNECTIONS_END = frozenset({"close-said", "close-unsaid", "five-served"})
"""Answers with which a server ends connections: h2load 1.52 fails an assertion of its own at some of their kind."""


def _h2load(asked: Asked, place: str) -> list[str]:
    # It has no timeout of a request, only of a silent connection.
    options = ["--h1", "-t1", "-c", str(asked.clients), f"--rps={asked.rate:g}", f"--duration={asked.seconds:g}"]
    return [place, *options, f"--connection-inactivity-timeout={asked.timeout_s:g}", asked.url]


def read_h2load(printed: str, asked: Asked) -> Said:
    """`requests: ... succeeded, ... failed`; what errored or timed out is among the failed. It prints no percentiles."""
    found = re.search(r"^requests: (\d+) total, .* (\d+) succeeded, (\d+) failed", printed, re.MULTILINE)
    if found is None:
        raise unreadable("h2load", printed)
    longest = re.search(r"^time for request:\s+\S+\s+([\d.]+)(us|ms|s|m)\s", printed, re.MULTILINE)
    times = {MAX: float(longest[1]) * _UNITS[longest[2]]} if longest else {}
    rate = maybe(r"^finished in [\d.]+\w+, ([\d.]+) req/s", printed)
    return Said(int(found[2]), int(found[3]), int(found[1]), rate, times)


_TSUNG_XML = """\
<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "{dtd}">
<tsung loglevel="notice">
  <clients><client host="localhost" use_controller_vm="true" maxusers="1000"/></clients>
  <servers><server host="{host}" port="{port}" type="tcp"/></servers>
  <load><arrivalphase phase="1" duration="60" unit="second">
    <users maxnumber="{clients}" arrivalrate="{many}" unit="second"/>
  </arrivalphase></load>
  <options>
    <option name="tcp_timeout" value="{timeout_ms}"/>
    <option type="ts_http" name="user_agent"><user_agent probability="100">tsung</user_agent></option>
  </options>
  <sessions><session name="device" probability="100" type="ts_http">
    <for from="1" to="{calls}" var="i">
      <request><http url="{path}" method="GET" version="1.1"/></request>
      <thinktime value="{pause}" random="false"/>
    </for>
  </session></sessions>
</tsung>
"""


def _tsung(asked: Asked, place: str) -> list[str]:
    # One virtual machine for controller and clients, so that it needs no ssh; a pause after each answer.
    at = urlsplit(asked.url)
    path = asked.folder / "tsung.xml"
    text = _TSUNG_XML.format(
        dtd="/usr/share/tsung/tsung-1.0.dtd",
        host=at.hostname,
        port=at.port,
        clients=asked.clients,
        many=20 * asked.clients,
        timeout_ms=round(1000 * asked.timeout_s),
        calls=max(1, round(asked.seconds / asked.interval_s)),
        path=f"{at.path}?{at.query}",
        pause=asked.interval_s,
    )
    path.write_text(text)
    # Each has a name on the machine, of which there may be several at a time.
    return [place, "-i", str(at.port), "-f", str(path), "-l", str(asked.folder / "tsung"), "start"]


def read_tsung(printed: str, asked: Asked) -> Said:
    """The last line of each kind in its `tsung.log`: of times it has mean, least and most; a 5xx is a status to it."""
    logs = sorted((asked.folder / "tsung").glob("*/tsung.log"))
    log = logs[-1].read_text(errors="replace") if logs else ""
    # Count, mean, deviation, most, least of these seconds; then mean and count of all before them.
    request = re.findall(r"^stats: request (\d+) \S+ \S+ ([\d.]+) ", log, re.MULTILINE)
    statuses = dict(re.findall(r"^stats: (\d{3}) \d+ (\d+)$", log, re.MULTILINE))
    errors = dict(re.findall(r"^stats: (error_\w+) \d+ (\d+)$", log, re.MULTILINE))
    if not request and not errors:
        raise unreadable("tsung", printed + log)
    good = sum(int(number) for status, number in statuses.items() if status.startswith("2"))
    others = sum(map(int, statuses.values())) - good + sum(map(int, errors.values()))
    longest = max((float(most) for _, most in request), default=0.0)
    times = {MAX: longest / 1e3} if longest else {}
    return Said(good, others, sum(int(number) for number, _ in request), None, times)


def entries(binaries: dict[str, str]) -> tuple[Tool, ...]:
    """All of them.

    Args:
        binaries: where programs lie that no distribution has, by name.
    """
    named = [
        Tool(
            name,
            f"no distribution has it: -p binaries {name}=/path/to/{name}",
            _wrk2,
            read_wrk,
            program=binaries.get(name, ""),
            version=("-v",),
            phases=("random",),
        )
        for name in ("wrk2", "zrk")
    ]
    return (
        Tool("ab", "apt-get install apache2-utils", _ab, read_ab, "ab", version=("-V",), paced=False, pacing="after"),
        Tool("siege", "apt-get install siege", _siege, read_siege, "siege", version=("-V",), paced=False, pacing="after"),
        Tool("httperf", "apt-get install httperf", _httperf, read_httperf, "httperf", version=("-V",), pacing="after"),
        Tool("hey", "apt-get install hey", _hey, read_hey, "hey"),
        Tool("wrk", "apt-get install wrk", _wrk, read_wrk, "wrk", version=("-v",), paced=False, pacing="after"),
        Tool(
            "h2load",
            "apt-get install nghttp2-client",
            _h2load,
            read_h2load,
            "h2load",
            version=("--version",),
            spared=_CONNECTIONS_END,
        ),
        Tool("tsung", "apt-get install tsung", _tsung, read_tsung, "tsung", version=("-v",), pacing="after"),
        *named,
    )
