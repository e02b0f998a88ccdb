"""How many devices does a server hold within a service level? Foretold from light cells, then searched for.

params.py         the question, checked
light.py          pure: which light cells a forecast is learnt from
search.py         pure: which load comes next, and what is known in the end
strategy.py       both put into cells for a study, with what each showed
evidence.py       what a cell shows: held, missed, or nothing; and what was at its limit
progress.py       a stage measured, with a line per cell
earlier.py        a search held against an earlier one
extrapolation.py  the scalability law, and larger fleets
page.py           what the notebook shows, by way of rows.py (figures) and text.py (sentences)
"""
