"""Tables and banners: HTML made from a summary, a record's facts or a table of `analyse`."""
