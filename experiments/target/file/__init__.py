"""What stands in a target file: its lines, its ranges, and its keys as checked values."""
