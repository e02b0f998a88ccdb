"""What this machine is, and what its kernel tells of processes, sockets and limits."""
