"""Which server carries the devices best? Every system measured in blocks, and held against Falcon run by run.

params.py         the question, checked
blocks.py         pure: which cells there are, block by block
strategy.py       all cells in their order for a study, and how long they take
three_clients.py  the section on three clients
capacities.py     the capacity of a few systems, by the search of `capacity`
runs.py           what a cell shows: its figures, and whether they count
statistics.py     pure: ratios of block-paired runs, their intervals, and what may be claimed
error_rate.py     how often that is wrong: on a pool of Falcon's own runs, and on made-up data
ranking.py        every system beside Falcon, measure by measure
rows.py           plain rows for tables and charts
text.py           the sentences that people quote
sections.py       what the notebook shows
page.py           the way of the notebook through all this
"""
