"""A target that was tried is shown request beside answer, in a notebook and in a terminal."""

from experiments.present.pages.tried import Trial
from experiments.target.poller import Shown
from experiments.target.tried import AnswerShown, Exchange, Tried

REQUEST = Shown("POST", "/status", [("Authorization", "Bearer ***")], '{"a": "<b>"}')
TIMES = {"dns": 1.25, "connect": 0.5, "tls": None, "first_byte": 2.0, "last_byte": 0.1}
RIGHT = Exchange("status", REQUEST, AnswerShown(200, (("ETag", '"x"'),), "so\x1b[31m it is", 10, 2000, 7), TIMES, None)
WRONG = Exchange("config", REQUEST, None, TIMES, "no answer", "there was no answer: refused.")
TRIED = Tried("mine", "http://127.0.0.1:1", (RIGHT, WRONG), "500 devices ask.", ("Nothing will prove it.",))


def test_a_notebook_shows_request_and_answer_side_by_side() -> None:
    """Escaped, with what is not right said first, and the load and the notes at the end."""
    page = Trial(TRIED)._repr_html_()
    assert "1 of 2 answers are not right" in page
    assert page.count("lab-table") == 3
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "there was no answer: refused." in page
    assert page.index("500 devices ask.") < page.index("Nothing will prove it.")


def test_a_terminal_shows_the_same_in_two_columns() -> None:
    """Nothing that came can steer the terminal."""
    text = repr(Trial(TRIED))
    assert "POST /status                                     | 200 (10 B on the wire, 2.00 kB decoded)" in text
    assert "ms: DNS 1.25, connect 0.500, TLS –, first byte 2.00, last byte 0.100" in text
    assert "config: NOT RIGHT. there was no answer: refused." in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_what_was_not_tried_says_so() -> None:
    """As with an earlier run."""
    assert Trial(None).right
    assert "Nothing is tried" in repr(Trial(None))
