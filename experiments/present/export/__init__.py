"""What becomes of a notebook on its way to a page: its order, what stands around its cells, and its errors in words."""
