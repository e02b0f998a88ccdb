"""Can the instrument be trusted? Trials whose right result is known, and the certificate that sums them up.

    params.py         what is asked of a calibration, checked
    known.py          runs against servers with known answers: figures must be right
    known_answers/    what these must report, worked out by arithmetic alone
    controls/         positive and negative controls, servers in trouble: good or bad verdicts, for the right reason
    second_opinion/   the same load measured by tools that are not ours: figures must agree
    cost/             what it costs, beside tools that are not ours
    trial.py          a case, and what came of it
    bench.py          what tries cases for a study
    limits.py         how far positive and negative controls are from the limits of the verdict
    certificate.py    what came of it on this machine with these versions; later runs quote it
    page.py           all of it, part by part, as the notebook goes through it

Everything here goes through `runner.run`, as any user would, and reads records as anybody may.
"""
