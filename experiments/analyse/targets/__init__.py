"""What was asked of a server, and what its endpoints are called: from the record, by every figure and page."""
