"""What docs/ci.md tells people to type and to copy."""

import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from ruamel.yaml import YAML

from experiments.command import execute
from experiments.command.main import main
from experiments.present.result.model import Judgement, Result
from experiments.record import reading
from tests.studies.sweep.made_up_sweep import made_up_sweep

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^[ -]*(?:run: )?(?:\.venv/bin/)?(lab .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("number", "schema"), [(0, "github-workflows"), (1, "gitlab-ci")])
def test_the_examples_are_files_of_their_systems(number: int, schema: str) -> None:
    """By the schemas that editors use for them."""
    examples = [text for kind, text in BLOCKS if kind == "yaml"]
    # YAML 1.2, in which `on` is a text.
    jsonschema.validate(YAML(typ="safe").load(examples[number]), get_builtin_schema(f"vendor.{schema}"))


def test_an_example_with_a_mistake_is_seen() -> None:
    """A step that is none does not pass."""
    job = {"runs-on": "ubuntu-latest", "steps": [{"rum": "make"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"on": "push", "jobs": {"load": job}}, get_builtin_schema("vendor.github-workflows"))


@pytest.mark.parametrize("line", sorted(set(COMMANDS)))
def test_every_command_is_understood(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its options and parameters are checked as before a run, which is not made."""
    told: list[Any] = []

    def measured(kind: Any, given: Any, **_: Any) -> execute.Ended:
        told.append(kind.check(given.typed))
        fine = Judgement(status="valid")
        result = Result(kind=kind.name, name="it", title="", answer="", service_level=fine, measurement=fine)
        return execute.Ended(result, 0, tmp_path, None)

    made_up_sweep(tmp_path / "baseline")
    monkeypatch.setattr(reading, "default_results_dir", lambda: tmp_path)
    monkeypatch.setattr(execute, "execute", measured)
    monkeypatch.chdir(Path(__file__).parents[2])
    assert main(shlex.split(line)[1:]) == 0
    assert len(told) == 1
