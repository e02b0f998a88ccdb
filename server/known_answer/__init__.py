"""A server whose answers are known beforehand."""
