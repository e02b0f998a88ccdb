"""The question: every parameter of a run, checked and frozen.

engines.py    who asks: names of engines, and what they can
addresses.py  addresses as parameters give them, and whether they lead off this machine
fields.py     each parameter, its unit, and what it alone may be
together.py   what does not go together
model.py      `Scenario`: all of it, and what follows from it
"""

from experiments.scenario.addresses import is_loopback
from experiments.scenario.engines import CALIBRATED, ENGINES, OWN_ENGINES, Engine
from experiments.scenario.model import Scenario

__all__ = ["CALIBRATED", "ENGINES", "OWN_ENGINES", "Engine", "Scenario", "is_loopback"]
