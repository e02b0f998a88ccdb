"""Calls of the C library and of Linux for the compiled loop; where nothing is compiled, the same calls by ctypes.

Addresses are whole numbers, so that no function here knows of arrays.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numba

from experiments.measure.engines.epoll.compiling import COMPILED, inlined

Record = Any
_numba: Any = numba
carray, types = _numba.carray, _numba.types

MSG_NOSIGNAL, MSG_DONTWAIT, MSG_TRUNC = 0x4000, 0x40, 0x20
EINTR, EAGAIN, ENOSYS = 4, 11, 38
_CLOCK_MONOTONIC = 1
_EPOLL_PWAIT2 = 441
"""Its number, the same on all machines. The C library has a name for it since glibc 2.35."""

_FUNCTIONS = {
    "send": (types.intp, (types.intc, types.uintp, types.uintp, types.intc)),
    "recv": (types.intp, (types.intc, types.uintp, types.uintp, types.intc)),
    "clock_gettime": (types.intc, (types.intc, types.uintp)),
    "syscall": (types.intp, (types.intp, types.intp, types.uintp, types.intp, types.uintp, types.uintp, types.intp)),
    "ppoll": (types.intc, (types.uintp, types.uintp, types.uintp, types.uintp)),
    "epoll_wait": (types.intc, (types.intc, types.uintp, types.intc, types.intc)),
}
_BY_CTYPES = {types.intp: ctypes.c_ssize_t, types.intc: ctypes.c_int, types.uintp: ctypes.c_size_t}
_WAITS = ("syscall", "ppoll")
"""Those that must not keep the interpreter lock."""


def _function(name: str) -> Callable[..., Any]:
    result, arguments = _FUNCTIONS[name]
    if COMPILED:
        # Unlike a pointer of ctypes it is found by its name when compiled code is loaded, so that this can be kept.
        return types.ExternalFunction(name, result(*arguments))  # type: ignore[no-any-return]
    library = (ctypes.CDLL if name in _WAITS else ctypes.PyDLL)(None, use_errno=True)
    function = getattr(library, name)
    function.restype, function.argtypes = _BY_CTYPES[result], [_BY_CTYPES[one] for one in arguments]
    return lambda *given: function(*map(int, given))


send, recv, _clock_gettime, _syscall, _ppoll, _epoll_wait = map(_function, _FUNCTIONS)

if COMPILED:
    _errno_location = types.ExternalFunction("__errno_location", types.CPointer(types.int32)())

    @inlined
    def error_number() -> int:
        """Of the last call that failed."""
        return carray(_errno_location(), 1)[0]  # type: ignore[no-any-return]

else:
    error_number = ctypes.get_errno


@inlined
def clock(s: Record) -> float:
    """Monotonic seconds, to the last bit as `time.monotonic` says them."""
    _clock_gettime(_CLOCK_MONOTONIC, s["now_at"])
    return (s["now_s"] * 1_000_000_000 + s["now_ns"]) / 1e9  # type: ignore[no-any-return]


@inlined
def wait(s: Record, seconds: float, most: int) -> int:
    """Waits for events of `s.epoll`, to the nanosecond; how many there are, or the error as a negative number."""
    s["wait_s"] = int(seconds)
    s["wait_ns"] = int((seconds - int(seconds)) * 1e9)
    if s["pwait2"]:
        found = _syscall(_EPOLL_PWAIT2, s["epoll"], s["events_at"], most, s["wait_at"], 0, 8)
        if found >= 0:
            return found  # type: ignore[no-any-return]
        if error_number() != ENOSYS:
            return -error_number()
        s["pwait2"] = 0
    # Before Linux 5.11: a wait that knows nanoseconds, then a look.
    if _ppoll(s["pollfd_at"], 1, s["wait_at"], 0) < 0:
        return -error_number()
    found = _epoll_wait(s["epoll"], s["events_at"], most, 0)
    return found if found >= 0 else -error_number()
