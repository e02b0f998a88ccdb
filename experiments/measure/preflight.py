"""All that is refused before a run starts: what the engine cannot do, and what this machine or a generator would not allow.

A scenario and the name of a user's transport in; nothing, or one sentence, out. Starts nothing but a Python that tries an
import; what the machine allows is for `limits` to say.
"""

from __future__ import annotations

import importlib.util
import inspect
import select
import subprocess
import sys
from collections.abc import Callable

from experiments.errors import GeneratorError, ParameterError
from experiments.measure import limits
from experiments.measure.engines.aio import own_device
from experiments.measure.engines.aio.own_device import Device
from experiments.parts import Engine
from experiments.scenario import OWN_ENGINES, Scenario
from experiments.target.loaded import Loaded

_IMPORT_S = 30.0
_IMPORT_FILE = (
    "import os, runpy, sys; sys.path.append(os.path.dirname(sys.argv[1])); runpy.run_path(sys.argv[1])[sys.argv[2]]"
)
_IMPORT = "import importlib, sys; getattr(importlib.import_module(sys.argv[1]), sys.argv[2])"


def check(scenario: Scenario, transport: str = "", device: str = "") -> None:
    """Refuses what cannot work here, and raises this process's limit of open files to what is needed.

    Args:
        transport: `module:name` of a user's own transport; empty for none.
        device: `module:name` of a user's class of devices, in place of the scenario's own; empty for that.

    Raises:
        ParameterError: an engine that does not apply, or more open files or ports than there are; says what to ask for.
    """
    parts = scenario.parts
    check_engine(parts.engine, transport)
    check_device(parts.engine, device or scenario.device)
    loaded = scenario.load_target()
    check_target(loaded, parts.engine, parts.server.url)
    url = parts.server.url or loaded.target.url or ""
    limits.allow_files(limits.needs(parts, url))
    if not parts.engine.on_other_machines:  # Its devices connect from the workers.
        own = has_own_connections(parts.engine, transport)
        limits.check_ports(
            parts.load, url, scenario.plan.polls_per_s, parts.engine.source_addresses, own_connections=own
        )


def has_own_connections(engine: Engine, transport: str) -> bool:
    """Whether the devices' connections are the lab's own, which can be told where to connect from.

    Args:
        transport: `module:name` of a user's own transport; empty for none.
    """
    return engine.name in OWN_ENGINES and not transport


def check_engine(engine: Engine, transport: str) -> None:
    """Refuses what an engine cannot do.

    Args:
        transport: `module:name` of a user's own transport; empty for none.

    Raises:
        ParameterError: epoll was asked for, and there is none here, or a transport that it cannot ask through.
    """
    if engine.name == "threads" and transport:
        raise ParameterError(f"engine='threads' with transport={transport!r}: it asks through requests; use engine='httpx'.")
    if engine.source_addresses and transport:
        raise ParameterError(
            f"source_addresses with transport={transport!r}, which makes its own connections: leave it out, and have the "
            "transport bind its sockets."
        )
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
    if kind is not None:
        check_steps(kind)
    return _name_of(kind, "device")


def check_steps(kind: type[Device]) -> None:
    """Refuses a class whose steps cannot be waited for.

    Raises:
        ParameterError: one of them is no `async def`.
    """
    for step in ("login", "poll"):
        if not inspect.iscoroutinefunction(getattr(kind, step)):
            raise ParameterError(f"device={kind.__qualname__!r}: its {step} must be an `async def`.")


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


def check_own_device(scenario: Scenario, device: str = "") -> None:
    """Makes sure that a class of devices is one, and that generators can import it.

    Args:
        device: `module:name` in place of the scenario's own; empty for that.

    Raises:
        ParameterError: it is none, its steps are not `async def`, or it cannot be imported.
    """
    name = device or scenario.device
    check_transport(name, scenario, what="device")
    if name and not scenario.dask_scheduler:
        try:
            check_steps(own_device.load(name))
        except GeneratorError as error:
            raise ParameterError(str(error)) from None


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
    module, _, name = transport.rpartition(":")
    tries = _IMPORT_FILE if module.endswith(".py") else _IMPORT
    try:
        tried = subprocess.run(
            [sys.executable, "-c", tries, module, name],
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
