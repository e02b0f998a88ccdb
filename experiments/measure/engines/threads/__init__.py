"""A thread per device: the script that people write."""
