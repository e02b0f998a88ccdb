"""What a device sends: templates, what fills them, and the request that they make."""
