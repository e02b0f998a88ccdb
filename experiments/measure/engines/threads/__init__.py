"""A thread a device: the script that people write."""
