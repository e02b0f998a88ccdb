"""What stands in a slot: for a device once, or for each poll anew.

A device in, and for each piece of text either a constant or a function of the round out. Random values are a function of
(seed, client, endpoint, round, place) alone, so that a plan can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from experiments import chance
from experiments.target.masking import MASK, hides
from experiments.target.requests.templates import Parts, Slot, Value

Maker = Callable[[int], object]
"""The value of a round."""
Convert = Callable[[Value], str]
"""A value -> how it is written where it stands."""
Pieces = tuple[str | tuple[Slot, Convert], ...]
"""A template, with the way in which each slot is written."""


@dataclass(frozen=True, slots=True)
class Filling:
    """One device, as its templates see it."""

    client: int
    """Its number, from 0."""
    id: str
    row: Mapping[str, Value]
    """Its row of the device table."""
    seed: int
    endpoint: str
    """The endpoint whose templates are filled."""
    environ: Mapping[str, str]
    clock: Callable[[], float]
    """Seconds since 1970, for `{now}`."""

    def masked(self) -> Filling:
        """The same device with its secrets hidden, for what is shown."""
        return replace(
            self,
            row={name: MASK if hides(name, str(value)) else value for name, value in self.row.items()},
            environ=dict.fromkeys(self.environ, MASK),
        )


def constant(slot: Slot, filling: Filling) -> Value:
    """The value of a slot that does not change from poll to poll."""
    value: Value
    if slot.name == "column":
        value = filling.row[str(slot.arguments[0])]
    elif slot.name == "env":
        value = filling.environ[str(slot.arguments[0])]
    else:
        value = filling.id if slot.name == "id" else filling.client
    return value if value == MASK else slot.formatted(value)


def maker(slot: Slot, filling: Filling) -> Callable[[int], Value]:
    """The function of the round that gives the value of a slot that changes."""
    if slot.name == "now":
        return _now(slot.spec, filling.clock)
    make = _round if slot.name == "round" else _RANDOM[slot.name](_state(slot, filling), slot.arguments)
    if not slot.spec:
        return make
    return lambda round_: slot.formatted(make(round_))


def choices(slot: Slot, filling: Filling, convert: Convert) -> Maker:
    """`{choice(...)}`, each value written beforehand."""
    texts = [convert(slot.formatted(argument)) for argument in slot.arguments]
    state, number = _state(slot, filling), len(texts)
    return lambda round_: texts[(chance.bits((state + round_ * chance.STEP) & chance.MASK) * number) >> 64]


@dataclass(frozen=True, slots=True)
class Text:
    """A template for one device: a pattern for `%`, and what fills it in each round."""

    pattern: str
    makers: tuple[Maker, ...]

    def __call__(self, round_: int) -> str:
        """The text of a round."""
        return self.pattern % tuple([make(round_) for make in self.makers])

    @property
    def always(self) -> str | None:
        """The text, if it is the same in every round."""
        return None if self.makers else self.pattern % ()


def text(pieces: Pieces, filling: Filling) -> Text:
    """The template of a device."""
    pattern: list[str] = []
    makers: list[Maker] = []
    for piece in pieces:
        if isinstance(piece, str):
            pattern.append(piece.replace("%", "%%"))
            continue
        slot, convert = piece
        if not slot.polled:
            pattern.append(convert(constant(slot, filling)).replace("%", "%%"))
        else:
            pattern.append("%s")
            makers.append(_written(slot, filling, convert))
    return Text("".join(pattern), tuple(makers))


def pieces(parts: Parts, convert: Convert) -> Pieces:
    """A template whose slots are all written in one way."""
    return tuple(part if isinstance(part, str) else (part, convert) for part in parts)


def joined(*several: Iterable[str | tuple[Slot, Convert]]) -> Pieces:
    """Templates one after the other, as one."""
    return tuple(piece for pieces in several for piece in pieces)


def _written(slot: Slot, filling: Filling, convert: Convert) -> Maker:
    if slot.name == "choice":
        return choices(slot, filling, convert)
    make = maker(slot, filling)
    # PERF: a number is written alike everywhere, so `%s` does it; calling a converter would cost 0.3 us more a value.
    if slot.name in _NUMBERS and (not slot.spec or isinstance(make(1), float)):
        return make
    return lambda round_: convert(make(round_))


def _state(slot: Slot, filling: Filling) -> int:
    return chance.endpoint_state(filling.seed, filling.client, filling.endpoint, slot.place)


def _round(round_: int) -> Value:
    return round_


def _uniform(state: int, arguments: tuple[Value, ...]) -> Callable[[int], Value]:
    low, high = float(arguments[0]), float(arguments[1])
    width, mask, step = high - low, chance.MASK, chance.STEP

    def make(round_: int) -> float:
        # PERF: `chance.unit`, written out: 0.45 us instead of 0.65.
        z = (state + round_ * step + step) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return low + ((z ^ (z >> 31)) >> 11) * 2.0**-53 * width

    return make


def _randint(state: int, arguments: tuple[Value, ...]) -> Callable[[int], Value]:
    low, number = int(arguments[0]), int(arguments[1]) - int(arguments[0]) + 1
    return lambda round_: low + ((chance.bits((state + round_ * chance.STEP) & chance.MASK) * number) >> 64)


def _choice(state: int, arguments: tuple[Value, ...]) -> Callable[[int], Value]:
    number = len(arguments)
    return lambda round_: arguments[(chance.bits((state + round_ * chance.STEP) & chance.MASK) * number) >> 64]


def _words(state: int, round_: int, number: int) -> int:
    """So many 64-bit words of a round, as one number."""
    start = chance.bits((state + round_ * chance.STEP) & chance.MASK)
    together = 0
    for word in range(number):
        together = (together << 64) | chance.bits((start + word * chance.STEP) & chance.MASK)
    return together


def _hex(state: int, arguments: tuple[Value, ...]) -> Callable[[int], Value]:
    digits = int(arguments[0])
    number = -(-digits // 16)
    return lambda round_: f"{_words(state, round_, number):0{number * 16}x}"[:digits]


def _uuid(state: int, arguments: tuple[Value, ...]) -> Callable[[int], Value]:
    return lambda round_: str(UUID(int=_words(state, round_, 2), version=4))


_RANDOM: dict[str, Callable[[int, tuple[Value, ...]], Callable[[int], Value]]] = {
    "uniform": _uniform,
    "randint": _randint,
    "choice": _choice,
    "hex": _hex,
    "uuid": _uuid,
}
_NUMBERS = frozenset({"round", "uniform", "randint"})


def _now(spec: str, clock: Callable[[], float]) -> Callable[[int], Value]:
    if spec == "unix":
        return lambda _: int(clock())
    if spec == "unix_ms":
        return lambda _: int(clock() * 1000)
    if spec:
        return lambda _: datetime.fromtimestamp(clock(), UTC).strftime(spec)
    return lambda _: datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
