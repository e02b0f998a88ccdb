"""What a run or a study comes to, as data: for a notebook's reader, a terminal, and the files that a CI system takes in."""
