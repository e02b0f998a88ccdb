"""Which load tool tells the truth? Every tool against servers whose answers are known, and what the server saw.

catalogue/  every tool that the lab knows, for all studies
params.py   what is asked, checked
attempt.py  one tool against one server, and what it leaves
bench.py    tool after tool, some answers at a time
truth.py    the server's ledger as figures
judge.py    what a tool says beside the truth, and a sentence
advice.py   whom to ask what
rows.py     attempts as rows
shown.py    rows as tables and charts take them
text.py     a test as a page of the docs
page.py     the way of the notebook through all this
"""
