"""What is looked at before the figures of a run are believed."""
