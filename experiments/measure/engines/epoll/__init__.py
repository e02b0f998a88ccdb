"""Devices on one loop over epoll, for plain HTTP/1.1."""
