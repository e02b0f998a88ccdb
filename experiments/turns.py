"""Which of several servers a device polls, and whose turn it is when: pure arithmetic on whole numbers.

Devices come in groups of as many as there are servers, one for each, in an order that chance names: so the devices are
split evenly, and however they are spread over generators. Time comes in pieces; within each piece every interval has a turn
for each server, and which is first changes from piece to piece, evenly, in an order that chance names too.
"""

from __future__ import annotations

from experiments import chance

PLACE = 3 << 32
"""Of these figures among the random ones of a name: beyond those of clocks and jitter."""
TURN = "turn"
"""The name of those that say whose turn it is."""


def group_of(client: int, systems: int) -> int:
    """The first device of the group of a device."""
    return client - client % systems


def system_of(seed: int, client: int, systems: int) -> int:
    """The server that a device polls, from 0."""
    group, place = divmod(client, systems)
    return (place + _shift(seed, group, "system", systems)) % systems


def turn_of(seed: int, piece: int, system: int, systems: int) -> int:
    """The turn of a server within each interval of a piece, from 0.

    As many pieces as there are servers give each of them every turn once.
    """
    block, place = divmod(piece, systems)
    return (system + place + _shift(seed, block, TURN, systems)) % systems


def _shift(seed: int, number: int, name: str, systems: int) -> int:
    return int(chance.unit(chance.endpoint_state(seed, number, name, PLACE)) * systems)
