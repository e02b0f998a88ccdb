"""Prints what the instrument costs and how exact it is, beside what it is meant to reach.

    python -m benchmarks                  about a quarter of an hour: part 4 of calibrate.ipynb, and one notebook run
    python -m benchmarks --minutes 10     the notebook run as long as the default one
    python -m benchmarks --rounds 0       the notebook run and the analysis alone
    python -m benchmarks --polls 0        without the analysis of 66 million polls, which takes some minutes and 1.2 GB
    python -m benchmarks --page docs/cost.md    and writes what was measured there
    python -m benchmarks duets            how small a difference of two servers is found, and how often: an hour

A figure beyond its target is printed as it is: nothing here passes or fails. Rows and figures stay in a folder of
`results/`, as those of a calibration do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import duets, page
from benchmarks.analysis import analysis
from benchmarks.notebook import notebook
from experiments.analyse.instrument import Figure
from experiments.errors import LabError
from experiments.present.html import Markup
from experiments.record.reading import default_results_dir
from experiments.studies.calibrate.cost import part

_MET = {True: "reached", False: "MISSED", None: ""}


def main() -> int:
    if sys.argv[1:2] == ["duets"]:
        return duets.main(sys.argv[2:], _say)
    arguments = _arguments()
    asked = {name: getattr(arguments, name) for name in ("rounds", "seconds", "peers", "loads", "binaries")}
    try:
        cost = part.CostPart(**asked)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    shown, figures = _measured(cost) if arguments.rounds else ([], [])
    if arguments.minutes:
        _say(f"the notebook as papermill runs it, {arguments.minutes:g} min")
        with tempfile.TemporaryDirectory() as place:
            figures += notebook(Path(place), arguments.minutes)
    if arguments.polls:
        _say(f"the analysis of {0.66 * arguments.polls:g} million polls")
        with tempfile.TemporaryDirectory() as place:
            figures += analysis(Path(place), arguments.polls)
    for table in shown:
        print(f"\n{table!r}")
    _print(figures)
    if arguments.page:
        arguments.page.write_text(page.written(cost.results, figures))
        print(f"written to {arguments.page}")
    return 0


def _measured(cost: part.CostPart) -> tuple[list[Markup], list[Figure]]:
    """What part 4 shows, and its figures."""
    folder = default_results_dir() / f"benchmark-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    shown = [cost.measure(folder, _say), cost.growth()]
    return shown, cost.lines()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which everybody is measured once (default 5)")
    parser.add_argument("--seconds", type=float, default=part.SECONDS, help="of each measurement (default %(default)g)")
    parser.add_argument("--peers", default=part.PEERS, help="tools to compare with (default %(default)s)")
    parser.add_argument("--loads", default=part.LOADS, help='what is asked of whom (default "%(default)s")')
    parser.add_argument("--binaries", default="", help="where tools lie that no distribution has: wrk2=/path,zrk=/path")
    parser.add_argument("--page", type=Path, help="a file that takes the tables, as Markdown")
    parser.add_argument("--minutes", type=float, default=1, help="of the notebook run; 0 leaves it out (default 1)")
    parser.add_argument(
        "--polls", type=int, default=100, help="times 660,000, of the record that is analysed; 0 leaves it out (default 100)"
    )
    return parser.parse_args()


def _print(figures: list[Figure]) -> None:
    lines = [("figure", "measured", "wanted", "")]
    lines += [(figure.what, figure.measured, figure.wanted, _MET[figure.met]) for figure in figures]
    widths = [max(len(line[place]) for line in lines) for place in range(3)]
    print()
    for line in lines:
        print("  ".join([*(text.ljust(width) for text, width in zip(line[:3], widths, strict=True)), line[3]]).rstrip())


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}Z  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
