"""Which server carries the devices best? Every system measured in blocks, and held against Falcon run by run.

asked.py       the question, checked
blocks.py      pure: which cells there are, block by block
session.py     the cells, in one folder, within a budget of time, resumable
runs.py        what a cell shows: its figures, and whether they count
statistics.py  pure: ratios of block-paired runs, their intervals, and what may be claimed
error_rate.py  how often that is wrong: on a pool of Falcon's own runs, and on made-up data
ranking.py     every system beside Falcon, measure by measure
capacities.py  the capacity of a few of them, by the search of `capacity`
words.py       the sentences that people quote
rows.py        plain rows for tables and charts
page.py        what the notebook shows
outlook.py     what will be measured, and how long that takes
compare.py     the way of the notebook through all this
"""
