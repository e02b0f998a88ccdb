"""Servers that were polled at the same time by one swarm, compared piece by piece of the time that they shared."""
