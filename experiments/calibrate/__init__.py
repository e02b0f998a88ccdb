"""Can the instrument be trusted? Trials whose right result is known, and the certificate that sums them up.

    known.py            runs against servers with known answers: figures must be right
    lies.py             runs that are made wrong on purpose, and honest ones: verdicts must be right
    second_opinion.py   the same load measured by a tool that is not ours: figures must agree
    certificate.py      what came of it on this machine with these versions; later runs quote it

Everything here goes through `runner.run`, as any user would, and reads records as anybody may.
"""
