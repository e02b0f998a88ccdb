"""Charts of many runs."""
