"""The applications that are measured, one file per framework."""
