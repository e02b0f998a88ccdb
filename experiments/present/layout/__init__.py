"""Where small charts stand beside and above one another."""
