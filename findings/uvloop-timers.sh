#!/usr/bin/env bash
# A pacer sleeps for fractions of a millisecond between polls: loop.call_later(0.0004, ...).
# Guessed: uvloop's timers have whole milliseconds and round up, as asyncio's wait does.
# Seen: it rounds to the nearest. 0.4 ms fires in the same turn of the loop, 1.4 ms after about 1.1: before its time, so a
# poll can leave early and a rate of 2,500 a second becomes a busy loop. asyncio's own loop is never early.
source "$(dirname "$0")/start.sh"
install uvloop==0.23.0
asked() {
  python - "$@" <<'PYTHON'
import asyncio, statistics, sys, time, uvloop
delay_s = float(sys.argv[2])
async def main():
    loop, waited = asyncio.get_running_loop(), []
    for _ in range(100):
        future, begun = loop.create_future(), time.perf_counter()
        loop.call_later(delay_s, future.set_result, None)
        await future
        waited.append(time.perf_counter() - begun)
    return waited
run = uvloop.run if sys.argv[1] == "uvloop" else asyncio.run
print("early" if statistics.median(run(main())) < delay_s else "not early")
PYTHON
}
holds "uvloop, 0.4 ms" "early" "$(asked uvloop 0.0004)"
holds "uvloop, 0.6 ms" "not early" "$(asked uvloop 0.0006)"
holds "asyncio, 0.4 ms" "not early" "$(asked asyncio 0.0004)"
holds "asyncio, 0.6 ms" "not early" "$(asked asyncio 0.0006)"
finish
