"""Chance that can be repeated: 64-bit figures that depend on what is named, and on nothing else.

Source: SplitMix64, Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
"""

from __future__ import annotations

import zlib

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
"""Distance of two neighbouring states; odd, so that all 2**64 are visited."""


def bits(state: int) -> int:
    """64 well-mixed bits of a state in [0, 2**64)."""
    z = (state + STEP) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def unit(state: int) -> float:
    """A uniform figure in [0, 1) of a state."""
    return (bits(state) >> 11) * 2.0**-53


def device_state(seed: int, number: int) -> int:
    """The state of the number-th figure of a seed; `unit` of it is what the schedule of two endpoints takes for phases."""
    return (seed * 0xD1342543DE82EF95 + number * STEP) & MASK


def endpoint_state(seed: int, client: int, endpoint: str, place: int) -> int:
    """Where the figures of one random form of one device begin.

    The endpoint counts by its name, so that another endpoint in the file leaves this one's values as they were.
    """
    state = bits(device_state(seed, client))
    state = bits((state + zlib.crc32(endpoint.encode())) & MASK)
    return bits((state + place) & MASK)
