"""What is asked of a server, and what a right answer is: the target file, its templates, checks and clocks.

A file in; requests of one device, judgements of its answers and due times out. Nothing here does I/O but reading the file
and what it names (a device table, a body, a CA), and nothing here knows how a request is sent.

What an engine needs, in the order in which it needs it:

* `loading.load(name_or_path)` -> `Loaded`: the file, checked; a mistake is one sentence with file and line.
* `swarm.prepare(loaded, clients=..., seed=...)` -> `Swarm`; `swarm.device(client)` -> one `Poller` an endpoint, in the
  file's order, with `wire(round)`, `check(answer)`, `remember(answer)` and `next_poll_s(answer)`.
* `clocks.Clocks`: which poll of which device is due when.
"""
