"""Two servers of one run beside each other: in words and figures, and piece by piece."""
