"""The tests mirror the tree; what starts a server, swarm, kernel or browser is marked `slow`."""
