"""Programs that load tools are tried with: each answer takes 5 ms at least, so that a tool without a rate stays bounded.

They are no systems of the catalogue: what a run of the lab must report of a program is worked out of `programs` alone, while
a tool follows no plan that is known, and is held against what the server itself wrote down (`ledger`).
"""

from __future__ import annotations

from collections.abc import Mapping

from server.known_answer.programs import Answer, Episode, Program

_QUICK_S = 0.005
_QUICK = Answer(delay_s=_QUICK_S)

_ALL = (
    Program(name="steady", title="every answer after 20 ms", usual=Answer(delay_s=0.02)),
    Program(
        name="eighth-slow",
        title="7 of 8 answers after 5 ms, the eighth after 100 ms",
        usual=_QUICK,
        every=8,
        of_all=True,
        other=Answer(delay_s=0.1),
    ),
    Program(
        name="one-stall",
        title="answers after 5 ms, and a stall of 1 s",
        usual=_QUICK,
        episodes=(Episode(kind="stall", start_s=1.55, lasting_s=1.0),),
    ),
    Program(
        name="fifth-503",
        title="every fifth answer 503",
        usual=_QUICK,
        every=5,
        of_all=True,
        other=Answer(delay_s=_QUICK_S, status=503),
    ),
    Program(
        name="close-said",
        title="every fifth answer is the last of its connection, and says so",
        usual=_QUICK,
        every=5,
        other=Answer(delay_s=_QUICK_S, last="said"),
    ),
    Program(
        name="close-unsaid",
        title="every fifth answer is the last of its connection, and does not say so",
        usual=_QUICK,
        every=5,
        other=Answer(delay_s=_QUICK_S, last="unsaid"),
    ),
    Program(
        name="in-chunks",
        title="every answer in five chunks, from 5 to 45 ms",
        usual=Answer(delay_s=_QUICK_S, chunked=True, pieces=5, over_s=0.04),
    ),
    Program(name="no-content", title="every answer 204, without a body", usual=Answer(delay_s=_QUICK_S, status=204)),
    Program(
        name="fifth-short",
        title="every fifth answer ends in the middle of its body",
        usual=_QUICK,
        every=5,
        of_all=True,
        other=Answer(delay_s=_QUICK_S, cut="close"),
    ),
    Program(name="five-served", title="five connections are served at a time", usual=_QUICK, most_connections=5),
)

FOR_TOOLS: Mapping[str, Program] = {program.name: program for program in _ALL}
"""Name -> program."""
