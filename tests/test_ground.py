"""What gets installed: the three places that name packages and versions agree."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRA = [
    one
    for texts in PROJECT["optional-dependencies"].values()
    for one in map(Requirement, texts)
    if one.name != PROJECT["name"]  # an extra may include another
]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
CONDA = [Requirement(text) for text in ENVIRONMENT["dependencies"] if isinstance(text, str)]


def test_conda_and_pip_ask_for_the_same_versions() -> None:
    """Each package of environment.yml has the bound that pyproject.toml gives it."""
    bounds = {canonicalize_name(one.name): one.specifier for one in RUNTIME}
    bounds |= {"python": Requirement("python" + PROJECT["requires-python"]).specifier}
    asked = {canonicalize_name(one.name): one.specifier for one in CONDA if one.name != "pip"}
    assert {name: bounds.get(name) for name in asked} == asked


def test_environment_yml_names_the_packages_that_make_the_lab() -> None:
    """The packages that people look for stand in environment.yml by name, from conda-forge."""
    names = {"python", "pip", "jupyterlab", "falcon", "uvicorn", "httpx", "nest-asyncio2"}
    assert {one.name for one in CONDA} == names | {"psutil", "plotly", "papermill"}
    assert ENVIRONMENT["channels"] == ["conda-forge"]


def test_environment_yml_says_why_it_takes_the_fork() -> None:
    """Who looks for nest-asyncio finds nest-asyncio2, and beside it the reason."""
    assert re.search(r"- nest-asyncio2\S+ +# .*nest-asyncio: \w+", (ROOT / "environment.yml").read_text())


def test_environment_yml_installs_the_project_and_nothing_else_by_pip() -> None:
    """The pip section holds only the project: all versions stand in one place."""
    pip = [section for section in ENVIRONMENT["dependencies"] if isinstance(section, dict)]
    assert pip == [{"pip": ["-e ."]}]


def test_constraints_hold_names_and_versions_only() -> None:
    """No address, path, option or marker: the file works with any index and any Python."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==\d[\w.]*", line)] == []


def test_constraints_pin_everything_within_its_bounds() -> None:
    """Each requirement has one pin, and the pin is a version that the requirement admits."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines)
    assert len(pins) == len(lines)
    versions = {canonicalize_name(name): version for name, version in pins.items()}
    wrong = [
        f"{one} is pinned to {versions.get(canonicalize_name(one.name))}"
        for one in RUNTIME + EXTRA
        if versions.get(canonicalize_name(one.name), "") not in one.specifier
    ]
    assert wrong == []
