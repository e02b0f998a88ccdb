"""What the cells of a notebook show."""
