"""Targets of one, three and five endpoints, with shares and with clocks of their own, for made-up records."""

from __future__ import annotations

from pathlib import Path

from experiments.target.loaded import Loaded
from tests.support.made_up import target_of

ONE = """
url: http://127.0.0.1:9
endpoints:
  ping: {request: GET /ping, every_s: 0.25}
"""

THREE = """
url: http://127.0.0.1:9
endpoints:
  status: {request: POST /status, share: 10, expect: {status: 200, bytes: 20..400}}
  config: {request: GET /config, share: 3, etag: remember, expect: {status: [200, 304]}}
  clock: {request: GET /clock, every_s: 0.7, expect: {status: [200, 204]}}
"""

FIVE = """
url: http://127.0.0.1:9
description: A fleet of thermostats.
devices: {jitter_ms: 40, ramp_up_s: 1}
headers: {Authorization: "Bearer secret-of-nobody"}
endpoints:
  status:
    request: POST /api/v1/status
    share: 4
    expect: {status: 200, bytes: 20..400, json: {next_poll_ms: 3000}}
    slo: {p99_ms: 50, failure_pct: 0.1}
  config:
    request: GET /api/v1/config
    every_s: 0.5
    etag: remember
    expect: {status: [200, 304]}
    slo: {p99_ms: 250}
  firmware: {request: GET /api/v1/firmware, share: 1, expect: {bytes: 5000}}
  alarms: {request: GET /api/v1/alarms, every_s: 0.3, expect: {status: [200, 404]}}
  telemetry_of_the_last_hour: {request: POST /api/v1/telemetry, share: 2}
"""

TEXTS = {"one": ONE, "three": THREE, "five": FIVE}


def named(name: str, folder: Path) -> Loaded:
    """The target of that name, read from a file in this folder."""
    return target_of(folder, TEXTS[name], name)
