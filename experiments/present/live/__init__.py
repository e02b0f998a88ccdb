"""What is seen while something is measured."""
