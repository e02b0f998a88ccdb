"""What can be said of a system: how it is started, what it needs, whether it can run here."""
