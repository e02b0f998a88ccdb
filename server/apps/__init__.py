"""Applications that are measured, one file each."""
