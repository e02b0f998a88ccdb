"""Going through the polls of a record once, in batches, so that memory does not grow with their number."""
