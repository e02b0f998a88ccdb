"""A run of the lab as a program of its own, so that it is asked as any other tool is.

    python lab_run.py '{"clients": 9, "server_url": "http://127.0.0.1:8000", ...}'

Its last line is JSON: what the summary says of endpoint A.
"""

from __future__ import annotations

import json
import sys

from experiments.runner import run
from experiments.scenario import Scenario

if __name__ == "__main__":
    summary = run(Scenario.from_parameters(json.loads(sys.argv[1]))).summary()
    said = summary["endpoints"]["status"] | {"verdict": summary["verdict"]["status"]}
    sys.stdout.write(json.dumps(said) + "\n")
