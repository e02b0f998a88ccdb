"""Watching processes that a test started: who they are, and that they are gone."""

import time

import psutil


def descendants(pid: int) -> list[psutil.Process]:
    """All processes below `pid`, and itself."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def still_alive(processes: list[psutil.Process], within_s: float = 10.0) -> list[str]:
    """Those of `processes` that have not ended within the time, as text; zombies have ended."""
    deadline = time.monotonic() + within_s
    while True:
        alive = [process for process in processes if _alive(process)]
        if not alive or time.monotonic() > deadline:
            return [f"{process.pid} {process.name()}" for process in alive if _alive(process)]
        time.sleep(0.1)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listening(pid: int) -> list[str]:
    """The addresses on which a process and its descendants listen."""
    sockets = [one for process in descendants(pid) for one in process.net_connections("inet")]
    return [one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN]
