"""What the kernel tells of listening sockets and of connections that it dropped."""

import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from experiments.measure.host import network

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

NETSTAT = """\
TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPSynRetrans
TcpExt: 1 603 605 152
IpExt: InNoRoutes ListenOverflows
IpExt: 0 9
"""


@pytest.mark.parametrize("length", [1, 77, 2048])
def test_a_backlog_is_read_back_from_the_socket(length: int) -> None:
    """What was asked for, unless the system's own limit is lower."""
    with socket.create_server(("127.0.0.1", 0), backlog=length) as listener:
        port = listener.getsockname()[1]
        expected = min(length, network.most_backlog() or length)
        assert network.backlog({"127.0.0.1"}, port) == expected
        listener.listen(5)  # Whoever listens again, as a worker may on the socket of its parent, changes it for all.
        assert network.backlog({"127.0.0.1"}, port) == 5
        assert network.backlog({"127.0.0.2"}, port) is None
    assert network.backlog({"127.0.0.1"}, port) is None


def test_the_shortest_of_several_counts() -> None:
    """Workers may each listen with a socket of their own."""
    with ExitStack() as stack:
        port = 0
        for length in (30, 20, 40):
            one = stack.enter_context(socket.create_server(("127.0.0.1", port), backlog=length, reuse_port=True))
            port = one.getsockname()[1]
        assert network.backlog({"127.0.0.1"}, port) == 20


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_socket_of_ipv6_is_read_too() -> None:
    """Its address is four times as long in /proc, and its backlog is found all the same."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=9) as listener:
        assert network.backlog({"::1"}, listener.getsockname()[1]) == 9


def test_counters_are_read_by_name(tmp_path: Path) -> None:
    """Those of TcpExt, wherever they stand in the line; what is missing is left out."""
    (tmp_path / "net").mkdir()
    assert network.counters(tmp_path) == {}
    (tmp_path / "net" / "netstat").write_text(NETSTAT)
    assert network.counters(tmp_path) == {"listen_overflows": 603, "listen_drops": 605, "syn_retransmits": 152}
    (tmp_path / "net" / "netstat").write_text("TcpExt: ListenDrops\nTcpExt: 5\n")
    assert network.counters(tmp_path) == {"listen_drops": 5}


def test_a_full_queue_is_counted() -> None:
    """A queue of one that nobody empties overflows, and the counters of this very namespace show it."""
    before = network.counters()
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1))
        for _ in range(6):
            device = stack.enter_context(socket.socket())
            device.setblocking(False)
            device.connect_ex(listener.getsockname())
        after = network.counters()
    assert after["listen_overflows"] > before["listen_overflows"]
    assert after["listen_drops"] > before["listen_drops"]
