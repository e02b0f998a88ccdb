"""Which load tool tells the truth? Every tool against servers whose answers are known, and what the server saw."""
