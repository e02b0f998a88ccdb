"""What can be done with targets from a terminal, without a server."""

import pytest

from experiments.__main__ import main
from experiments.target import loading


def test_a_target_is_made_from_a_curl_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed, is a target, and has no secret in it."""
    assert main(["from", "curl -H 'Authorization: Bearer s3cr3t' http://127.0.0.1:8000/status"]) == 0
    made = capsys.readouterr().out
    loaded = loading.read(made, loading.FOLDER / "made.yaml", environ={"API_TOKEN": "x"})
    assert [one.request for one in loaded.target.endpoints.values()] == ["GET /status"]
    assert "s3cr3t" not in made


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["from", "nix.har"], "source='nix.har': there is no such file, and it is no curl command."),
        (["try", "helo"], "did you mean 'hello'?"),
        (["try", "hello", "client=5"], "did you mean 'clients'?"),
        (["from"], "python -m experiments from capture.har"),
        (["from", "a", "b"], "python -m experiments from capture.har"),
        ([], "python -m experiments try hello"),
    ],
)
def test_a_mistake_is_told(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In a sentence, or with how it is called; the exit code is 2 and nothing goes to the output."""
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.out == ""
