"""Every combination of parameters: a grid of cells, measured point by point.

params.py  what is asked, checked
grid.py    pure: which cells there are, and in which order
rows.py    the cells as tables take them
text.py    what must be known first
page.py    the way of the notebook through all this
"""
