"""HTTP/1.1 answers without I/O: bytes in any number of pieces -> one answer, or the reason why there is none.

answer.py   an answer, and the ways in which there can be none
general.py  any answer at all, by httptools
heads.py    what was learned of heads that repeat
reader.py   `AnswerReader`: the answers of one connection
"""

from experiments.measure.engines.http1.answer import Answer, ConnectionClosed, ConnectionReset, ProtocolViolation
from experiments.measure.engines.http1.general import MOST_BODILESS_BYTES
from experiments.measure.engines.http1.reader import AnswerReader

__all__ = ["MOST_BODILESS_BYTES", "Answer", "AnswerReader", "ConnectionClosed", "ConnectionReset", "ProtocolViolation"]
