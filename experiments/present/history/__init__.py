"""All results of a folder before people: a table, trends, and any two beside each other."""
