"""The same load measured by tools that are not ours.

tools.py     what each is told, and how its words are read
witness.py   whether it may be believed: it asks servers whose answers are known
opinions.py  what it says of the server that we measure too
"""
