"""The applications that are measured, one file a framework."""
