"""What a run needs beside its server: a database, a Redis."""
