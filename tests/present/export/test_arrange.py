"""The order in which a report tells a notebook, and what it leaves out."""

from nbformat import NotebookNode

from experiments.present.export.arrange import arranged, contents, titled, without_nothing
from experiments.present.html import Markup, nothing
from tests.present.notebooks import executed, notebook, v4

TOP = '<div class="lab-top"><p class="lab-title">Falcon &amp; 9 devices</p><p class="lab-about">today</p><p>Held.</p></div>'


def shows(html: str, tags: tuple[str, ...] = ()) -> NotebookNode:
    """A code cell that shows this."""
    return executed(lambda: Markup(html), tags)


def sources(nb: NotebookNode) -> list[str]:
    """The prose that is left."""
    return [cell.source for cell in nb.cells if cell.cell_type == "markdown"]


def test_the_title_is_taken_from_the_answer() -> None:
    """It stands above all as text; the notebook's own question becomes the heading of what it says of itself."""
    made, around = titled(arranged(notebook(shows(TOP, ("verdict",)))))
    assert (around.title, around.about) == ("Falcon & 9 devices", ("today",))
    assert made.cells[0].outputs[0].data["text/html"] == '<div class="lab-top"><p>Held.</p></div>'
    assert sources(made)[0].startswith("## How does *this* server do?")


def test_without_an_answer_the_title_is_the_question() -> None:
    """It stands above all, and not a second time."""
    made, around = titled(arranged(notebook()))
    assert (around.title, around.about) == ("How does this server do?", ())
    assert sources(made) == ["\n\nThe question."]


def test_a_run_that_never_began_is_named_by_what_was_asked() -> None:
    """By what papermill was given, and when; never by an address that may hold a password."""
    nb = notebook()
    asked = {"clients": 5000, "target": "hello", "database_url": "postgresql://user:secret@127.0.0.1/x"}
    nb.metadata["papermill"] = {"parameters": asked, "start_time": "2026-11-28T15:25:45.5+00:00"}
    _, around = titled(arranged(nb))
    assert around.about == ("asked for: target hello, clients 5000 · started 2026-11-28 15:25 UTC",)


def test_a_section_in_which_nothing_is_shown_is_left_out() -> None:
    """Whether its steps never ran or had nothing to show; one with something to show keeps all of its prose."""
    never, void = v4.new_code_cell("x()"), executed(lambda: nothing("There is nothing to compare."))
    kept = [v4.new_markdown_cell("## Kept"), v4.new_code_cell("silent()"), v4.new_markdown_cell("More."), shows("<p>x</p>")]
    gone = [v4.new_markdown_cell("## Gone"), never, v4.new_markdown_cell("Also."), void]
    made = without_nothing(notebook(*kept, *gone, v4.new_markdown_cell("## Prose alone")))
    assert sources(made)[1:] == ["## Kept", "More.", "## Prose alone"]
    assert sum(cell.cell_type == "code" for cell in made.cells) == 1


def test_prose_about_a_step_without_output_is_left_out() -> None:
    """A sentence about what would fail a notebook is of no interest in a report."""
    made = without_nothing(
        notebook(
            v4.new_markdown_cell("## A"), shows("<p>x</p>"), v4.new_markdown_cell("Strict."), v4.new_code_cell("enforce()")
        )
    )
    assert sources(made)[1:] == ["## A"]


def test_the_contents_lead_to_the_headings_of_sections() -> None:
    """By ids of plain letters."""
    nb = notebook(v4.new_markdown_cell("## How *bad* is it?\n\ntext\n\n### Deeper"), v4.new_markdown_cell("## The run"))
    assert contents(nb) == [("how-bad-is-it", "How bad is it?"), ("the-run", "The run")]
