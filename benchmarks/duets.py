"""How small a difference a duet finds, how often, and how often it finds one that is not there.

    python -m benchmarks duets                        20 duets of Falcon against itself, 20 with 3 % and 20 with 1.5 % more
    python -m benchmarks duets --count 100 --dials ""  the first of these alone, a hundred times

A duet is a minute of load, and a little more to begin and end. What Falcon costs more is added by a loop that takes a known
time; how long it really took is told by the server in the end, so the truth of each duet is known beside its finding.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from experiments.analyse.duets.interval import Kind
from experiments.errors import LabError
from experiments.record.reading import default_results_dir
from experiments.studies import duet

_SAID = re.compile(r"dial: ([0-9.]+) us")
_FIRST_GUESS_US, _REMEMBERED = 80.0, 9
_WANTED = {0.0: "3 to 7 % called different", 1.5: ">= 50 % found", 3.0: ">= 90 % found"}


@dataclass(frozen=True)
class Tried:
    """One duet."""

    dial_pct: float
    """What the second server was meant to cost more."""
    truly_pct: float
    """What it did; 0 where nothing was added."""
    kind: Kind
    estimate_pct: float
    half_width_pct: float
    p50_half_width_pct: float | None
    cpu_us: float


@dataclass
class Dial:
    """Sets the loop: a share of what a request costs here, and how much longer than alone it takes beside others."""

    costs_us: list[float]
    takes: list[float]

    def us(self, pct: float) -> float:
        """Microseconds to ask for."""
        cost = median(self.costs_us[-_REMEMBERED:] or [_FIRST_GUESS_US])
        return pct / 100 * cost / median(self.takes[-_REMEMBERED:] or [1.0])


def tried(count: int, dials: Sequence[float], seconds: float, folder: Path, split: str) -> Iterator[Tried]:
    """Runs so many duets of each kind, in turn; one that cannot be measured is left out and said."""
    dial, chance = Dial([], []), random.Random()
    for pct in [pct for _ in range(count) for pct in (0.0, *dials)]:
        asked_us = dial.us(pct)
        second = f"falcon-dial DIAL_US={asked_us:.4f}" if pct else "falcon"
        seed = chance.randrange(2**31)
        found = duet.duet("falcon", second, seconds=seconds, results_dir=str(folder), seed=seed, beside_split=split)
        cpu, p50, costs = (found.told[name] for name in ("cpu_ratio", "response_p50_ratio", "cpu_us_per_request"))
        log = found.record.path / "server-1.log"
        took = _SAID.search(log.read_text()) if pct else None
        if took:
            dial.takes.append(float(took[1]) / asked_us)
        shutil.rmtree(found.record.path)
        if cpu["half_width_pct"] is None or (pct and took is None):
            continue
        dial.costs_us.append(costs["a"])
        truly = 100 * float(took[1]) / (costs["b"] - float(took[1])) if took else 0.0
        estimate = 100 * (cpu["estimate"] - 1)
        yield Tried(pct, truly, cpu["kind"], estimate, cpu["half_width_pct"], p50["half_width_pct"], costs["a"])


def lines(all_tried: Sequence[Tried]) -> Iterator[str]:
    """What came of them, a line for each dial."""
    for pct in sorted({one.dial_pct for one in all_tried}):
        these = [one for one in all_tried if one.dial_pct == pct]
        different = sum(one.kind in ("more", "less") for one in these)
        truth, share = median(one.truly_pct for one in these), 100 * different / len(these)
        yield (
            f"{pct:g} % more (truly {truth:.1f}): n = {len(these)}, different {different} = {share:.0f} %, "
            f"estimate {median(one.estimate_pct for one in these):+.2f} % in the median, half of the interval "
            f"{median(one.half_width_pct for one in these):.2f} %; wanted {_WANTED.get(pct, '-')}"
        )
    p50 = [one.p50_half_width_pct for one in all_tried if one.p50_half_width_pct is not None]
    if p50:
        yield f"response p50: half of the interval {median(p50):.1f} % in the median of {len(p50)}; wanted <= 4 %"


def main(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Runs them and says what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks duets", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=20, help="duets of each kind (default 20)")
    parser.add_argument("--seconds", type=float, default=duet.SECONDS, help="of load in each (default %(default)g)")
    parser.add_argument("--dials", default="3,1.5", help='percent that are added (default "%(default)s")')
    parser.add_argument("--split", default="mixed", choices=("halves", "mixed"))
    asked = parser.parse_args(arguments)
    dials = [float(one) for one in asked.dials.split(",") if one]
    folder = default_results_dir() / "benchmark-duets"
    folder.mkdir(parents=True, exist_ok=True)
    done: list[Tried] = []
    try:
        for one in tried(asked.count, dials, asked.seconds, folder, asked.split):
            done.append(one)
            with (folder / "duets.jsonl").open("a") as file:
                file.write(json.dumps(asdict(one)) + "\n")
            left = asked.count * (1 + len(dials)) - len(done)
            say(f"{one.dial_pct:g} % more: {one.estimate_pct:+.2f} % +- {one.half_width_pct:.2f}, {one.kind}; {left} to go")
    except LabError as error:
        say(str(error))
        return 2
    for line in lines(done):
        say(line)
    return 0
