"""What does the instrument cost? The lab's engines beside tools that are not ours, under the same load.

    load.py              what all are asked: devices, interval, phase, ratio
    targets.py           whom they ask: Falcon on uvicorn, and nginx, which is so fast that the generator is what is measured
    own.py               an engine of the lab under a load, by its own record
    other.py             a tool of the catalogue under the same load, by its process tree and the server's count
    rounds.py            interleaved rounds: everybody once a round, in an order drawn by lot
    speed.py             how fast the machine was before each turn
    growth.py            memory per device, and how many devices one generator carries
    results.py           what came of it, as it is kept
    targeted.py          the figures beside what they are meant to reach
    part.py              all of it as the notebook and `make benchmark` go through it

CPU is user + system of the generator's whole process tree, over a window that begins when every device is connected;
start-up is thereby taken off.
"""
