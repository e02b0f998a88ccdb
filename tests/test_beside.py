"""What is said of servers in a few words: each word is known or refused, and every server has a name of its own."""

import pytest

from experiments import beside
from experiments.beside import System
from experiments.errors import ParameterError

KNOWN = ("falcon", "starlette")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("starlette", {"server": "starlette"}),
        ("./my.yaml", {"target": "./my.yaml"}),
        ("telemetry", {"target": "telemetry"}),
        ("http://127.0.0.1:8001/", {"url": "http://127.0.0.1:8001"}),
        ("git:HEAD~1", {"revision": "HEAD~1"}),
        ("falcon==4.1", {"packages": ("falcon==4.1",)}),
        ("falcon==4.1 uvicorn==0.30.0", {"packages": ("falcon==4.1", "uvicorn==0.30.0")}),
        ("starlette workers=2 loop=asyncio", {"server": "starlette", "workers": 2, "loop": "asyncio"}),
        ("DEBUG=1 A_B=x=y", {"environment": {"DEBUG": "1", "A_B": "x=y"}}),
    ],
)
def test_words_say_what_a_server_is(said: str, found: dict[str, object]) -> None:
    """Everything that is not said is left as it is for the run's own server."""
    assert beside.several(said, KNOWN) == (System(" ".join(said.split()), **found),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("starlete", "did you mean 'starlette'"),
        ("workers=0", "says nothing"),
        ("loop=trio", "says nothing"),
        ("git:", "says nothing"),
        ("git:--upload-pack=x", "says nothing"),
        ("falcon, ,starlette", "between two commas"),
        ("falcon starlette", "once more"),
        ("falcon ./my.yaml", "more than one server"),
        ("http://127.0.0.1:1 workers=2", "runs already"),
    ],
)
def test_what_says_nothing_is_refused(said: str, why: str) -> None:
    """The sentence names the word, and what can be said."""
    with pytest.raises(ParameterError, match=why):
        beside.several(said, KNOWN)


def test_no_two_servers_of_a_run_are_called_the_same() -> None:
    """A server against itself is two servers, and one that differs is named by how."""
    said = (System(), *beside.several("falcon, starlette, workers=2, falcon", KNOWN))
    assert beside.names("falcon", said) == ("falcon", "falcon (2)", "starlette", "falcon workers=2", "falcon (5)")
    assert beside.names("falcon", (System("falcon==4.1", packages=("falcon==4.1",)),)) == ("falcon falcon==4.1",)


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ("", "starlette", {"beside": "starlette"}),
        ("falcon", "falcon workers=2", {"server": "falcon", "beside": "falcon workers=2"}),
        ("./my.yaml git:main", "./my.yaml", {"target": "./my.yaml", "variant": "git:main", "beside": "./my.yaml"}),
        ("http://127.0.0.1:8000/", "falcon", {"server_url": "http://127.0.0.1:8000", "beside": "falcon"}),
        ("falcon==4.1", "falcon==4.2", {"variant": "falcon==4.1", "beside": "falcon==4.2"}),
    ],
)
def test_a_duet_is_asked_by_the_parameters_of_a_run(first: str, second: str, asked: dict[str, str]) -> None:
    """The first is the run's own server and how it differs, the second stands beside it."""
    assert beside.parameters(first, second, KNOWN) == asked


def test_a_duet_is_of_two() -> None:
    """More servers are for `beside` to name."""
    with pytest.raises(ParameterError, match="without commas"):
        beside.parameters("falcon", "falcon, starlette", KNOWN)
