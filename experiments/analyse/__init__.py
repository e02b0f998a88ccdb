"""Record in, tables out: pure functions, repeatable on a record of last year from another machine.

Knows the record and the plan; knows neither how anything was measured nor how it is shown.
"""
