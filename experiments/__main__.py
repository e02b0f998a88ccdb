"""`python -m experiments` is `lab`, where that is not installed as a command."""

from experiments.command.main import entry

if __name__ == "__main__":
    entry()
