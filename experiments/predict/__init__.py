"""Prediction: what a load that was not measured would bring, from cells that were, at light load.

    cell.py      a record, reduced to what predictions rest on
    demand.py    processor time of a poll, from the CPU figures of light cells
    loops.py     the server and its generators as queues: a plan played through, event by event
    pauses.py    the pauses behind the long delays of a light cell
    forecast.py  all of it together: response percentiles of a load, and the largest load within a service level
    usl.py       the Universal Scalability Law, where it can be identified
    fleet.py     what larger fleets take, with the assumptions written out
    linear.py    least squares of a few unknowns

Pure: figures and plans in, figures out. Knows neither how cells are run nor how their figures are shown.
"""
