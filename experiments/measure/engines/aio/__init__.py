"""Devices as coroutines, over httpx transports."""
