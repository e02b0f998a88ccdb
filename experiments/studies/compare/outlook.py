"""What a comparison will do, and how long that takes: said before it begins. A session -> plain pairs."""

from __future__ import annotations

from experiments.parameters import listed
from experiments.present.words import duration, plural
from experiments.studies.compare.params import SYSTEMS, Asked
from experiments.studies.compare.statistics import FEWEST_BLOCKS
from experiments.studies.compare.strategy import Outlook, Session

Pair = tuple[str, str]


def question(session: Session) -> list[Pair]:
    """What is measured, in which order, and how long it takes."""
    asked, outlook = session.asked, session.outlook
    return [
        ("held against", SYSTEMS["falcon"].title),
        *(
            (series.title, listed([name for name in _taking_part(asked) if series.concerns(name)]))
            for series in asked.series
        ),
        ("blocks", _blocks(asked)),
        ("three clients, one server", plural(asked.own.three_clients, "device") if asked.own.three_clients else "none"),
        ("capacity searched for", listed(asked.searched) or "none"),
        ("runs", f"{outlook.runs} of {duration(asked.base.warmup_s + asked.base.window_s)} each, the server started anew"),
        ("time", _time(outlook)),
        ("folder", f"{session.folder}; the same compare_id goes on with it"),
        *((f"skipped: {name}", why) for name, why in asked.skipped.items()),
    ]


def _taking_part(asked: Asked) -> list[str]:
    return [name for name in asked.systems if name not in asked.skipped]


def _blocks(asked: Asked) -> str:
    count = plural(asked.own.blocks, "block")
    said = f"{count}, each with every system once in an order of its own, and Falcon once more to be held against itself"
    if asked.own.blocks < FEWEST_BLOCKS:
        return f"{said}; with fewer than {FEWEST_BLOCKS} all ratios are provisional, without intervals"
    return said


def _time(outlook: Outlook) -> str:
    """About how long, and what becomes of it where that is too long."""
    said = f"about {duration(outlook.seconds)}: {duration(outlook.blocks_s)} for the blocks"
    if outlook.clients_s:
        said += f", {duration(outlook.clients_s)} for the three clients"
    if outlook.capacities_s:
        said += f", {duration(outlook.capacities_s)} for the searches for capacity"
    limit = f"max_hours is {duration(outlook.budget_s)}"
    if outlook.fits:
        return f"{said}; {limit}"
    return (
        f"{said}. {limit[0].upper()}{limit[1:]}: no block is begun that would not end by then, and what is left out is said"
    )
