"""All that is refused before a run starts: what the engine cannot do, and what this machine or a generator would not allow.

A scenario and the name of a user's transport in; nothing, or one sentence, out. Starts nothing but a Python that tries an
import, and changes nothing but this process's limit of open files.
"""

from __future__ import annotations

import importlib.util
import inspect
import resource
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.errors import ParameterError
from experiments.measure.engines.aio.own_device import Device
from experiments.parts import Engine, Load, Parts, Server
from experiments.scenario import Scenario, is_loopback
from experiments.target.loaded import Loaded

SPARE_FILES = 100
"""Open files of a process besides its connections: libraries, pipes, logs, the event loop."""
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TIME_WAIT_S = 60
"""How long Linux keeps the port of a connection that this side has closed. Source: TCP_TIMEWAIT_LEN, include/net/tcp.h.
On loopback it is free again after about a second (`tcp_tw_reuse`), so that nothing need be refused there."""
_IMPORT_S = 30.0
_IMPORT = "import importlib, sys; getattr(importlib.import_module(sys.argv[1]), sys.argv[2])"


def check(scenario: Scenario, transport: str = "") -> None:
    """Refuses what cannot work here, and raises this process's limit of open files to what is needed.

    Args:
        transport: `module:name` of a user's own transport; empty for none.

    Raises:
        ParameterError: an engine that does not apply, or more open files or ports than there are; says what to ask for.
    """
    parts = scenario.parts
    check_engine(parts.engine, transport)
    check_target(scenario.load_target(), parts.engine, parts.server.url)
    allow_files(files_needed(parts))
    if not parts.engine.on_other_machines:  # Its devices connect from the workers.
        check_ports(parts.load, parts.server, scenario.plan.polls_per_s)


def check_engine(engine: Engine, transport: str) -> None:
    """Refuses what an engine cannot do.

    Args:
        transport: `module:name` of a user's own transport; empty for none.

    Raises:
        ParameterError: epoll was asked for, and there is none here, or a transport that it cannot ask through.
    """
    if engine.name == "threads" and transport:
        raise ParameterError(f"engine='threads' with transport={transport!r}: it asks through requests; use engine='httpx'.")
    if engine.name != "epoll":
        return
    if transport:
        raise ParameterError(
            f"engine='epoll' with transport={transport!r}: it speaks plain HTTP/1.1 on sockets of its own; use "
            "engine='httpx', which asks through any httpx transport."
        )
    if not hasattr(select, "epoll"):
        raise ParameterError("engine='epoll' needs epoll, which this platform has not: use engine='httpx'.")
    if not has_epoll():
        raise ParameterError(
            "engine='epoll' needs numba, which compiles it and is not installed; where there is none for this platform, "
            "use engine='httpx'."
        )


def check_device(engine: Engine, device: str) -> None:
    """Refuses an engine whose devices are no objects of anybody's.

    Args:
        device: `module:name` of a user's class of devices; empty for none.

    Raises:
        ParameterError: the engine is not httpx.
    """
    if device and engine.name != "httpx":
        raise ParameterError(
            f"engine={engine.name!r} with device={device!r}: a class of devices needs engine='httpx'; use that."
        )


def check_target(loaded: Loaded, engine: Engine, server_url: str) -> None:
    """Refuses a target that an engine cannot ask.

    Args:
        server_url: the run's own, which counts before the target's.

    Raises:
        ParameterError: the engine cannot speak to the server, or cannot tell whether its answers are right.
    """
    https = server_url.startswith("https:") if server_url else loaded.target.https
    if https and engine.name in ("epoll", "threads"):
        raise ParameterError(f"engine={engine.name!r} speaks plain HTTP, and this server https: use engine='httpx'.")
    if engine.name != "threads":
        return
    for name, endpoint in loaded.target.endpoints.items():
        headers = {one.lower() for one in (*loaded.target.headers, *endpoint.headers)}
        if "accept-encoding" in headers:
            raise ParameterError(
                f"engine='threads' with Accept-Encoding for {name!r}: requests unpacks an answer before anybody can count "
                "its bytes; use engine='httpx', or leave that header out."
            )


def has_epoll() -> bool:
    """Whether this platform has what the epoll engine needs."""
    return hasattr(select, "epoll") and importlib.util.find_spec("numba") is not None


def files_needed(parts: Parts) -> int:
    """Most files that one process of this run has open here: the server, or a generator, with a connection each device."""
    clients, engine = parts.load.clients, parts.engine
    largest_shard = 0 if engine.on_other_machines else -(-clients // engine.processes)
    if engine.name == "threads":
        largest_shard *= 2  # A connection to Redis as well.
    server_share = 0 if parts.server.url else clients
    return max(largest_shard, server_share) + SPARE_FILES


def allow_files(needed: int) -> None:
    """Raises this process's limit of open files to what is needed; processes started later inherit it.

    Raises:
        ParameterError: the hard limit is lower than that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ParameterError(
            f"this run needs {needed:,} open files in one process, and this machine allows {hard:,}: ask for at most "
            f"{hard - SPARE_FILES:,} clients, or raise the hard limit of open files (ulimit -Hn)."
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def check_ports(load: Load, server: Server, polls_per_s: float) -> None:
    """Refuses what needs more ports than a single pair of addresses has.

    Args:
        polls_per_s: of all devices.

    Raises:
        ParameterError: says how many there are, and what to ask for instead.
    """
    there = _ports()
    if load.clients > there:
        raise ParameterError(
            f"{load.clients:,} connections to one address need as many ports, and this machine has {there:,} "
            f"({_RANGE}): ask for fewer clients, or widen that range."
        )
    opened_s = 0.0 if load.keep_alive else polls_per_s
    local = not server.url or is_loopback(server.url)
    if not local and opened_s * _TIME_WAIT_S > there:
        raise ParameterError(
            f"{opened_s:,.0f} new connections/s to another machine need {opened_s * _TIME_WAIT_S:,.0f} ports, since each "
            f"is taken for {_TIME_WAIT_S} s, and there are {there:,}: use keep_alive=True, or ask for less."
        )


def _ports() -> int:
    """How many ports outgoing connections may have; all of them where nobody says."""
    try:
        low, high = map(int, _RANGE.read_text().split())
    except (OSError, ValueError):
        return 2**16
    return high - low + 1


def transport_name(factory: Callable[..., object] | None) -> str:
    """`module:name` of a transport factory; empty for none.

    Raises:
        ParameterError: it is not at the top level of a module, where another process would look for it.
    """
    return _name_of(factory, "transport")


def device_name(kind: object) -> str:
    """`module:name` of a user's class of devices; empty for none.

    Raises:
        ParameterError: it is no such class, its steps are not `async def`, or another process would not find it.
    """
    if kind is not None and not (isinstance(kind, type) and issubclass(kind, Device)):
        raise ParameterError(f"device={kind!r} is no class that inherits from lab.Device: give the class, not an instance.")
    for step in ("login", "poll"):
        if kind is not None and not inspect.iscoroutinefunction(getattr(kind, step)):
            raise ParameterError(f"device={kind.__qualname__!r}: its {step} must be an `async def`.")
    return _name_of(kind, "device")


def _name_of(factory: object, what: str) -> str:
    if factory is None:
        return ""
    module, name = getattr(factory, "__module__", None) or "", getattr(factory, "__qualname__", "")
    if module == "__main__" or not name or not hasattr(sys.modules.get(module), name):
        raise ParameterError(
            f"{what}={name or repr(factory)!r} of {module!r}: generator processes must be able to import it; put it at "
            "the top level of a module of yours."
        )
    return f"{module}:{name}"


def check_transport(transport: str, scenario: Scenario, *, what: str = "transport") -> None:
    """Makes sure that a new Python process here can import a factory, as generators will.

    Args:
        transport: `module:name`; empty for none.
        what: the parameter that names it.

    Raises:
        ParameterError: it cannot, and why.
    """
    # Workers of a cluster import it on their machines, and say so themselves.
    if not transport or not scenario.generators or scenario.dask_scheduler:
        return
    module, _, name = transport.partition(":")
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _IMPORT, module, name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_IMPORT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        reason = f"not within {_IMPORT_S:g} s"
    else:
        if tried.returncode == 0:
            return
        reason = (tried.stderr.strip().splitlines() or [f"it ended with code {tried.returncode}"])[-1][:200]
    raise ParameterError(
        f"{what}={transport!r} cannot be imported by a generator process ({reason}): start the notebook or script in the "
        "folder of that module, install the module, or poll from this process with generators=0."
    )
