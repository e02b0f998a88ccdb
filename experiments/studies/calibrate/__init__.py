"""Can the instrument be trusted? Trials whose right result is known, and the certificate that sums them up.

    known.py            runs against servers with known answers: figures must be right
    honest.py           honest runs, servers in trouble among them: verdicts must be good
    lies.py, damage.py  runs and records that are made wrong on purpose: verdicts must be bad, for the right reason
    limits.py           how far both lie from the limits of the verdict
    second_opinion.py   the same load measured by tools that are not ours (tools.py): figures must agree
    cost/               what it costs, beside tools that are not ours
    certificate.py      what came of it on this machine with these versions; later runs quote it
    session.py          all of it, part by part, as the notebook goes through it

Everything here goes through `runner.run`, as any user would, and reads records as anybody may.
"""
