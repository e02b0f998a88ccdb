"""The command line `lab`: runs a notebook, makes its report and the files for other programs, and says what came out."""
