"""Many runs that answer one question.

    study.py    one study: folder, plan, budget, going on, interrupt, showing again; a strategy says what comes next
    params.py   what the parameters of every kind have in common
    facade.py   what a notebook holds of a study
    text.py     sentences that are said of every kind
    agenda.py   how far work of many turns is
    cells/      what measures: `run.ipynb` by papermill, cell by cell, and what lies in a folder of cells
    sweep/      a grid of parameters, every point so many times
    capacity/   how many devices a server holds: foretold, then searched for
    compare/    systems side by side, in blocks
    calibrate/  whether the instrument is right, and what it costs

In each: params.py (what is asked), strategy.py or a pure module (what comes next), rows.py (figures), text.py (sentences),
page.py (what the notebook shows). Params, strategies and rows know nothing of `present`.
"""
