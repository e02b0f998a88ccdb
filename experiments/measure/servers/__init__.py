"""The server under test: the lab's own or somebody else's, asked and looked at."""
