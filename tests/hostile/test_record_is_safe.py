"""A record stays in its folder, holds nothing that could run, and says nothing about who made it."""

import getpass
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import experiments
from experiments.errors import ParameterError, RecordError
from experiments.measure.host.fingerprint import fingerprint
from experiments.record import reading, store
from experiments.scenario import Scenario
from tests.hostile.test_report_escapes import HOSTILE
from tests.support.made_up import made_up
from tests.test_house_rules import imports, modules

_SMALL = Scenario(clients=5, minutes=5 / 60, warmup_s=1)
_PLACES = ("../out", "..", ".", "/out", "a/b", "a\\b", "a\0b", "a\n", "~", "-r", " ", "x" * 101, "\u202ea", "caf\xe9")
_LOADERS = {"pickle", "cPickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "numpy", "pandas", "torch"}
"""Modules that may run what they read, and those whose readers rest on one of them."""


@pytest.mark.parametrize("run_id", [*_PLACES, *HOSTILE])
def test_a_run_id_is_a_plain_name(run_id: str) -> None:
    """Whatever could lead out of the results, hide there or be markup is refused before anything starts."""
    with pytest.raises(ParameterError, match="run_id="):
        Scenario.from_parameters({"run_id": run_id})


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["ratio", "server", "server_url", "phase", "pacing", "engine"])
def test_markup_is_no_parameter(name: str, text: str) -> None:
    """Words that are chosen from a list, a ratio and an address on this machine cannot be anything else."""
    with pytest.raises(ParameterError):
        Scenario.from_parameters({name: text})


@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_results_leads_nowhere(tmp_path: Path, there: bool) -> None:
    """A symbolic link that bears the run_id asked for is not followed, whether it leads somewhere or not."""
    elsewhere, results = tmp_path / "elsewhere", tmp_path / "results"
    results.mkdir()
    if there:
        elsewhere.mkdir()
    (results / "run-1").symlink_to(elsewhere)
    with pytest.raises(ParameterError, match="already"):
        store.create(str(results), "run-1", "hash")
    assert list(elsewhere.iterdir() if there else []) == []


@pytest.mark.parametrize("path", ["../../etc", "a\0b", "/dev/null", "/proc/self"])
def test_what_is_no_record_is_not_opened(path: str) -> None:
    """A path that leads to something else is refused in words."""
    with pytest.raises(RecordError, match="not a run directory"):
        reading.load(path)


def test_no_file_of_a_record_is_a_pickle(tmp_path: Path) -> None:
    """A record is Parquet, JSON and text, by the first bytes and the last ones of each file."""
    record = experiments.summarise(made_up(tmp_path, _SMALL))
    found = {path.relative_to(record.path).as_posix(): path for path in record.path.rglob("*") if path.is_file()}
    assert found.keys() >= {"run.json", "summary.json", "clients.parquet", "resources.parquet", "requests/part-0-0.parquet"}
    for name, path in found.items():
        content = path.read_bytes()
        if path.suffix == ".parquet":
            assert (content[:4], content[-4:]) == (b"PAR1", b"PAR1"), name
        else:
            json.loads(content)


def test_nothing_that_reads_a_record_can_unpickle() -> None:
    """No module that records, analyses or presents imports a loader that may run what it reads."""
    tree = modules("experiments/record", "experiments/analyse", "experiments/present")
    assert [(path, name) for path, source in tree for name in imports(source, path) if name.split(".")[0] in _LOADERS] == []


_READ = """
import sys
def forbid(event, arguments):
    if event == "pickle.find_class":
        raise AssertionError(f"unpickled {arguments}")
sys.addaudithook(forbid)
import pickle
try:
    pickle.loads(pickle.dumps(print))
    sys.exit("the hook sees nothing")
except AssertionError:
    pass
from experiments.present.pages.run import Page
from experiments.record.reading import load
from experiments.runner import summarise
page = Page(summarise(load(sys.argv[1])))
for show in (page.verdict, page.checks, page.headline, page.clients, page.provenance, page.percentiles, page.device_map):
    show()
"""


@pytest.mark.slow
def test_reading_a_record_unpickles_nothing(tmp_path: Path) -> None:
    """While a record is opened, analysed and shown, the interpreter itself reports no object built by pickle."""
    record = made_up(tmp_path, _SMALL)
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(record.path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def secrets() -> dict[str, str]:
    """What must not be found: who, where, and what the environment says.

    Short values ("true", a version, a language) stand in a record by chance, so of the environment only longer ones count.
    """
    known = {"user": getpass.getuser(), "host": socket.gethostname(), "home": str(Path.home())}
    long = {name: value for name, value in os.environ.items() if len(value) >= 8}
    return {name: value for name, value in {**long, **known}.items() if len(value) >= 4 and not value.isdigit()}


def told(text: str) -> list[str]:
    """The names of the secrets that a text holds."""
    return [name for name, value in secrets().items() if value in text]


def test_the_fingerprint_says_nothing_of_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """No user, no host, no home and no environment variable is in it."""
    monkeypatch.setenv("LAB_TOKEN", "a-secret-of-mine")
    assert "a-secret-of-mine" in secrets().values()
    assert told(json.dumps(fingerprint())) == []


@pytest.mark.slow
def test_a_whole_record_says_nothing_of_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a real run neither its JSON files nor its logs hold a user, a host, a home or an environment variable."""
    for name in ("LAB_TOKEN", "DATABASE_URL", "PASSWORD"):
        monkeypatch.setenv(name, f"a-secret-called-{name}")
    monkeypatch.chdir(tmp_path)
    record = experiments.run(Scenario(clients=3, minutes=1 / 60, warmup_s=0.2, interval_ms=200, results_dir="here"))
    for path in (*record.path.glob("*.json"), *record.path.glob("*.log")):
        text = path.read_text()
        assert told(text) == [], path.name
        assert "a-secret-called" not in text
