"""Every error that the lab raises on purpose.

A failed poll is a row of the record, never an exception. These are for the experimenter: each message is one sentence
that says what was given, what is allowed and what to do.

* LabError
  x ParameterError        a parameter is wrong, unknown or cannot work on this machine; nothing was started
  x ServerStartError      the server under test did not become ready
  x ServerContractError   the server answers, but not what the experiment must measure
  x GeneratorError        a generator did not start, or broke for a reason of its own
  x KernelEndedError      the kernel was told to end while a run was going
  x RecordError           a run directory cannot be written or read as a record
  x VerdictError          `strict` was asked for, and the run is not valid, misses its service level, or has become worse
"""


class LabError(Exception):
    """Anything the lab refuses or gives up, said in one sentence."""


class ParameterError(LabError):
    """A parameter is wrong, unknown, or asks for more than this machine has; nothing was started."""


class ServerStartError(LabError):
    """The server under test did not become ready; the sentence ends with the tail of its log."""


class ServerContractError(LabError):
    """The server answered before the load, but not with the bytes or headers that the experiment needs."""


class GeneratorError(LabError):
    """A generator did not start, or stopped for a reason that has nothing to do with the server."""


class KernelEndedError(LabError):
    """The kernel was told to end while a run was going: a step out of time under papermill, a restart in JupyterLab."""


class RecordError(LabError):
    """A run directory cannot be written, or does not hold a record."""


class VerdictError(LabError):
    """With `strict`: the run may not be believed, misses the service level that was asked for, or is worse than before."""
