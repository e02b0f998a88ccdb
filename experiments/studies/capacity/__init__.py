"""How many devices does a server hold within a service level? Foretold from light cells, then searched for.

asked.py     the question, checked
light.py     pure: which light cells a forecast is learnt from
search.py    pure: which load comes next, and what is known in the end
evidence.py  what a cell shows: held, missed, or nothing; and what was at its limit
session.py   the cells, in one folder, within a budget of time, resumable
earlier.py   a search held against an earlier one
outlook.py   the scalability law, and larger fleets
page.py      what the notebook shows, by way of rows.py (figures) and words.py (sentences)
"""
