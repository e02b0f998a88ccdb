"""Commands that end when nobody wants them any more."""
