"""The servers that are measured. Nothing here knows who measures it."""
