"""What a server does on the wire, found by asking it by hand: a system of the catalogue, or one that is running.

    python -m experiments.probe falcon
    python -m experiments.probe http://127.0.0.1:8000/api/status
    python -m experiments.probe all docs/servers.md

Each probe is one fact; a fact that spoils a measurement, or leaves devices unanswered, is a trap and says so in a sentence.
"""
