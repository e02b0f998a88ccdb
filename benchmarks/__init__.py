"""Figures that the README promises, measured on the machine at hand."""
