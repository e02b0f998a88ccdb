"""What is hidden of a request and an answer, and what only sounds like a secret."""

import pytest

from experiments.measure.engines.masking import body_text, headers_text
from experiments.target.masking import Masker, header, tree

INNOCENT = [
    ("Access-Control-Allow-Credentials", "true"),
    ("token_count", "128"),
    ("tokens", "4096"),
    ("maxTokens", "17"),
    ("session_expires_in", "3600"),
    ("total_tokens", "0.5"),
    ("token_type", "Bearer"),
    ("session.ttl", "60"),
]
SECRET = [
    ("Access-Control-Allow-Credentials", "hunter2"),
    ("token", "128"),
    ("pin", "4711"),
    ("token_count", "hunter2"),
    ("tokens", "17a"),
    ("secret_key", "4711"),
    ("token_type", "hunter2"),
    ("Authorization", "Bearer hunter2"),
]


@pytest.mark.parametrize(("name", "value"), INNOCENT)
def test_a_value_that_tells_no_secret_is_shown(name: str, value: str) -> None:
    """Its name speaks of secrets, and it says how many, how long or of which kind; in headers, trees, JSON and records."""
    assert header(name, value) == value
    assert tree({name: value}) == {name: value}
    number = value if value[0].isdigit() or value == "true" else f'"{value}"'
    for text in (f'{{"{name}": {number}, "a": 1}}', f"{name}={value}&a=1"):
        assert Masker().text(text) == text
        assert body_text(text.encode()) == text
    assert headers_text([(name.encode(), value.encode())]) == [[name, value]]


@pytest.mark.parametrize(("name", "value"), SECRET)
def test_a_value_that_may_be_the_secret_is_hidden(name: str, value: str) -> None:
    """Whatever its name has besides, in every place where it may be shown."""
    secret = value.removeprefix("Bearer ")
    assert secret not in header(name, value)
    assert secret not in str(tree({name: value}))
    for text in (f'{{"{name}": "{value}", "a": 1}}', f"{name}={secret}&a=1"):
        assert secret not in Masker().text(text)


def test_a_list_of_secrets_is_hidden_whole() -> None:
    """From its opening bracket to the closing one, also where the text is cut off before that."""
    assert Masker().text('{"tokens": ["abc", "def"], "a": 1}') == '{"tokens": ***, "a": 1}'
    assert "def" not in Masker().text('{"tokens": ["abc", "def')
