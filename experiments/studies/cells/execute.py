"""The program that a cell is: one notebook executed by papermill, and its report made, whether or not it came to its end.

    python -P execute.py <notebook> <folder of the cell> <parameters as JSON>

A file and not a module, since importing its package would load all that plans cells, once for each of them.

Exit code 1 if the notebook failed; the executed notebook then holds the error.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path


def main(notebook: str, folder: str, parameters: str) -> int:
    """Executes the notebook and makes its report."""
    # PERF: nbformat checks notebooks by jsonschema, which imports a parser of internationalised addresses where one is
    # installed (JupyterLab brings it) and has it compile its grammar: 2.6 s of the 3.3 that papermill took to import.
    # A notebook holds no such address; without the parser jsonschema does not check them.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    executed = Path(folder) / "run.ipynb"
    asked = json.loads(parameters)
    # papermill formats both paths with the parameters, and a folder may well have braces in its name.
    source, target = (str(path).replace("{", "{{").replace("}", "}}") for path in (notebook, executed))
    try:
        execute_notebook(source, target, asked, kernel_name="python3", progress_bar=False, log_output=True)
    except PapermillExecutionError as error:
        logging.error("%s: %s", error.ename, error.evalue)
        return 1
    finally:
        if executed.is_file():
            _report(executed)
    return 0


def _report(executed: Path) -> None:
    from experiments.present.exporter import LabReportExporter

    page, _ = LabReportExporter().from_filename(str(executed))  # type: ignore[no-untyped-call]
    executed.with_name("report.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
