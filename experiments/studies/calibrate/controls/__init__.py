"""Runs whose verdict is known beforehand: honest ones that must be believed, and lies that must not."""
