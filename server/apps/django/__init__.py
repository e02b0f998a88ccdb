"""Django and what belongs to it."""
