"""The database of the workload `database`: where it is, what is in it, and who makes it ready."""
