"""Settings of hypercorn that it has no option for, read by name from this module."""

keep_alive_max_requests = 1_000_000_000
"""Requests after which it closes a connection; 1,000 by default, under every device after some minutes."""
