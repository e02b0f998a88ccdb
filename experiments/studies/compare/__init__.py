"""Which server carries the devices best? Every system at once with Falcon, or with a target of the user's own, or in blocks.

params.py         the question, checked
own.py            what stands beside a target of the user's own
blocks.py         pure: which cells there are, duets and block by block
strategy.py       all cells in their order for a study, and how long they take
three_clients.py  the section on three clients
capacities.py     the capacity of a few systems, by the search of `capacity`
runs.py           what a cell shows: its figures, and whether they count
statistics.py     pure: ratios of block-paired runs and of duets, their intervals, and what may be claimed
error_rate.py     how often that is wrong: on a pool of Falcon's own runs, and on made-up data
ranking.py        every system beside Falcon, measure by measure
rows.py           plain rows for tables and charts
text.py           the sentences that people quote
result.py         what other programs read of it
sections.py       what the notebook shows
page.py           the way of the notebook through all this
"""
