"""What is asked of a server, and what a right answer is: the target file, its templates, checks and clocks.

A file in; the requests of each device, whether its answers are right, and due times out. Nothing here does I/O but reading
the file and what it names (a device table, a body), and nothing here knows how a request is sent. In the order of use:

* `loading.load(name_or_path)` -> `Loaded`: the file, checked; a mistake is one sentence with file and line. `Loaded.shown()`
  is what may be recorded of it; `loading.read(text, path)` makes the same in another process.
* `swarm.prepare(loaded, clients=..., seed=..., host=...)` -> `Swarm`, and `Swarm.device(client)` -> a `Poller` an endpoint,
  in the file's order. Its request is `wire(round)` or `parts(round)`; `check(Answer(...), round)` is the name of the
  expectation that failed or None, `explain` the sentence for people, `next_poll_s` when the server wants to be asked again,
  `shown` the request without its secrets. `needs_body` and `needs_headers` say what an engine must keep of an answer.
* `planning.plan(target, ...)` -> `experiments.schedule.Plan`: which poll of which device is due when.
* `hello.loaded(...)`: the article's two endpoints, which a run may ask for in another ratio and of other sizes.
* `origins.origin.target_from(source)`: the text of a target from a HAR file, OpenAPI, `curl`, or an access log.
"""
