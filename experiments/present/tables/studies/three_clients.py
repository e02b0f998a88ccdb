"""Several clients and one server, in words and as tables: what each reports, what was its own, and who counted what."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analyse.three_clients import Client
from experiments.present.format import count, number
from experiments.present.html import Markup, caption, element, note, table

_WHO = {
    "threads": "the author's client (threads and requests)",
    "httpx-stock": "httpx as it comes (httpx-stock)",
    "httpx": "this lab's httpx engine",
    "epoll": "this lab's epoll engine",
}


def answer(clients: Sequence[Client]) -> Markup:
    """One sentence per client that asks as the author's does, the author's first."""
    told = [sentence for one in clients if (sentence := _sentence(one))]
    if not told:
        return note("No client's own part can be told: no other that may be believed asked the server as often.")
    first = element("p", element("strong", told[0]))
    return first + element("ul", *(element("li", text) for text in told[1:])) if told[1:] else first


def _sentence(client: Client) -> str:
    reported, own = client.latency_ms.get("p50"), client.own_ms.get("p50")
    if reported is None or own is None or client.leanest == client.name:
        return ""
    return (
        f"Of the {number(reported)} ms (median of A) that {_WHO.get(client.name, client.name)} reported, {number(own)} ms "
        f"were its own: {client.leanest}, asking the same server no less often, reported {number(reported - own)} ms."
    )


def reported(clients: Sequence[Client]) -> Markup:
    """One row per client: load reached, what it reports, what of it is its own, what it and the server took."""
    rows = [
        [
            one.name,
            one.state if not one.why else f"{one.state}: {one.why}",
            number(one.polls_per_s),
            *(number(one.latency_ms.get(name)) for name in ("p50", "p95", "p99")),
            *(number(one.own_ms.get(name)) for name in ("p50", "p99")),
            number(one.cpu_us_per_poll),
            number(one.server_us),
            number(one.server_cores),
        ]
        for one in clients
    ]
    head = ["client", "verdict", "polls/s answered", "latency of A p50, ms", "p95, ms", "p99, ms", "its own of p50, ms"]
    return table(
        [*head, "of p99, ms", "CPU per poll, µs", "server CPU per request, µs", "server cores"],
        rows,
        label="What each client reports of the same server, and what it takes",
        numbers=range(2, 11),
        medium=[1],
    ) + caption(
        "Latency is what the client's own watch says, from sent to done. Its own part is what exceeds the leanest client "
        "that asked in the same way and no less often; a dash where no client can tell. An invalid verdict says of a client "
        "that its figures are not the server's, which is what this section shows."
    )


def counts(clients: Sequence[Client]) -> Markup:
    """One row per client: what the rows, the server and Redis counted, warm-up included."""
    rows = [
        [
            one.name,
            count(one.counted.sent),
            count(one.counted.answered),
            count(one.counted.served),
            count(one.counted.redis) if one.counted.redis is not None else one.counted.why,
            {True: "yes", False: "NO", None: "unknown"}[one.counted.agrees],
        ]
        for one in clients
        if one.counted is not None
    ]
    if not rows:
        return note("Nothing was counted.")
    return table(
        ["client", "sent, by its rows", "answered, by its rows", "served, by the server", "in Redis", "agree"],
        rows,
        label="How many polls each party counted, warm-up included",
        numbers=range(1, 4),
    ) + caption("Redis is what the author's client counts in. It must hold what the rows hold, by endpoint and outcome.")
