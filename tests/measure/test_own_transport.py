"""A user's transport that no generator could have is refused before anything starts."""

import warnings
from functools import partial
from pathlib import Path

import pytest

from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.measure.engines.aio import own_device
from experiments.progress import Progress, forgiving
from experiments.runner import run
from experiments.scenario import Scenario
from tests.faults import transports
from tests.measure.engines.aio import own_devices


@pytest.mark.parametrize(
    "factory", [lambda: None, partial(transports.plain), transports.Chatty()], ids=["lambda", "partial", "object"]
)
def test_what_has_no_name_in_a_module_is_refused(factory: object) -> None:
    """A lambda or a nested function raises an error that says where to put it."""
    with pytest.raises(ParameterError, match="at the top level of a module of yours"):
        preflight.transport_name(factory)  # type: ignore[arg-type]


def test_a_function_of_a_module_has_a_name() -> None:
    """A process of its own finds the factory again by module and function."""
    name = preflight.transport_name(transports.plain)
    assert (name, preflight.transport_name(None)) == ("tests.faults.transports:plain", "")
    preflight.check_transport(name, Scenario())


def test_a_module_that_another_process_does_not_find_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process found it on a path of its own; nothing is written, and the sentence says what to do."""
    (tmp_path / "found_only_here.py").write_text(
        "from experiments.measure.engines.aio.transport import LeanTransport\ndef make():\n    return LeanTransport()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import found_only_here  # type: ignore[import-not-found]

    results = tmp_path / "results"
    with pytest.raises(ParameterError, match=r"No module named 'found_only_here'\): start .* generators=0"):
        run(Scenario(results_dir=str(results)), transport=found_only_here.make)
    assert not results.exists()
    preflight.check_transport("found_only_here:make", Scenario(clients=1, generators=0))


def test_an_error_of_who_looks_on_is_shown_once() -> None:
    """It is a warning at first and silent after that, and never ends the run."""

    def look(progress: Progress) -> None:
        raise ValueError

    tell, progress = forgiving(look), Progress("measuring", 1.0, 2.0)
    with pytest.warns(RuntimeWarning):
        tell(progress)
    with warnings.catch_warnings(record=True) as more:
        tell(progress)
    assert more == []
    forgiving(look)(progress)  # Here every warning is an error.


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (own_devices.Plain(), "give the class, not an instance"),
        (transports.plain, "is no class that inherits from lab.Device"),
        (own_devices.Blocking, "its poll must be an `async def`"),
        (type("Hidden", (own_devices.Plain,), {"__module__": "tests.faults.transports"}), "at the top level of a module"),
    ],
)
def test_what_is_no_class_of_devices_is_refused(kind: object, said: str) -> None:
    """In one sentence, before anything starts."""
    with pytest.raises(ParameterError, match=said):
        preflight.device_name(kind)


@pytest.mark.parametrize("engine", ["httpx-stock", "epoll", "threads"])
def test_an_engine_that_cannot_let_a_class_live_says_so(tmp_path: Path, engine: str) -> None:
    """Before anything is written."""
    results = tmp_path / "results"
    own = {"pacing": "after", "keep_alive": False} if engine == "threads" else {}
    asked = Scenario.from_parameters({"engine": engine, "results_dir": str(results), **own})
    with pytest.raises(ParameterError, match=f"engine='{engine}' with device='tests.*:Plain'.*use that"):
        run(asked, device=own_devices.Plain)
    assert not results.exists()


def test_a_class_that_another_process_does_not_find_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a transport is, by the name of its parameter."""
    (tmp_path / "known_only_here.py").write_text("import experiments as lab\nclass Mine(lab.Device):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import known_only_here  # type: ignore[import-not-found]

    with pytest.raises(ParameterError, match=r"device='known_only_here:Mine' .*No module named 'known_only_here'\)"):
        run(Scenario(results_dir=str(tmp_path / "results")), device=known_only_here.Mine)


def test_a_class_may_lie_in_a_file(tmp_path: Path) -> None:
    """Wherever cells are started; what lies beside the file is found, and a fault of it is said before the start."""
    (tmp_path / "beside_mine.py").write_text("import experiments as lab\nBase = lab.Device\n")
    mine = tmp_path / "mine.py"
    mine.write_text("from beside_mine import Base\nclass Mine(Base): pass\nclass Slow(Base):\n    def poll(self): pass\n")
    preflight.check_own_device(Scenario(device=f"{mine}:Mine"))
    assert own_device.load(f"{mine}:Mine") is own_device.load(f"{mine}:Mine")
    for name, said in (("Missing", "cannot be imported"), ("Slow", "its poll must be an `async def`")):
        with pytest.raises(ParameterError, match=said):
            preflight.check_own_device(Scenario(device=f"{mine}:{name}"))


@pytest.mark.parametrize("name", ["mine.py", "mine:", ":Mine", "my-module:Mine", "a/b:Mine", "mine.py:My-Class"])
def test_what_names_no_class_is_refused(name: str) -> None:
    """With both forms that there are."""
    with pytest.raises(ParameterError, match=r"like my_devices:Sensor or \./my_devices\.py:Sensor"):
        Scenario.from_parameters({"device": name})


def test_a_class_in_a_file_is_named_from_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its path is made whole when it is given; a run without one is the question that it was before."""
    monkeypatch.chdir(tmp_path)
    named = Scenario(device="./mine.py:Mine")
    assert named.device == f"{tmp_path}/mine.py:Mine"
    assert named.short_hash != Scenario().short_hash == Scenario(device="").short_hash
