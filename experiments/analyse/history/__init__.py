"""What lies in a folder of results: all of it, and what may be compared with."""
