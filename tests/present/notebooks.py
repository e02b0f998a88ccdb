"""Notebooks as they are after a run, for the tests of what is made of them."""

from collections.abc import Callable, Sequence

import nbformat
from IPython.display import display
from IPython.utils.capture import capture_output
from nbformat import NotebookNode

v4 = nbformat.v4


def executed(show: Callable[[], object], tags: Sequence[str] = ()) -> NotebookNode:
    """A code cell with what this call displays."""
    with capture_output() as captured:
        display(show())
    outputs = [v4.new_output("display_data", data=one.data, metadata=one.metadata or {}) for one in captured.outputs]
    return v4.new_code_cell("secret_source()", outputs=outputs, metadata={"tags": [*tags]})


def stream(text: str) -> NotebookNode:
    """A code cell that printed this."""
    return v4.new_code_cell("secret_source()", outputs=[v4.new_output("stream", name="stdout", text=text)])


def failed(name: str, message: str) -> NotebookNode:
    """A code cell that raised."""
    trace = ["\x1b[31mTraceback\x1b[0m", "  secret_line", f"{name}: {message}"]
    return v4.new_code_cell("secret_source()", outputs=[v4.new_output("error", ename=name, evalue=message, traceback=trace)])


def notebook(*cells: NotebookNode) -> NotebookNode:
    """A notebook of a title and these cells."""
    title = v4.new_markdown_cell("# How does *this* server do?\n\nThe question.")
    return v4.new_notebook(cells=[title, *cells], metadata={"kernelspec": {"name": "python3", "display_name": ""}})
