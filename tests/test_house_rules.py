"""The rules of the house, held by reading the tree: imports, notebooks, parameter files, tests.

Each rule is a function from a file to its breaches, in words. One test applies it to the tree, one
to made-up files that break it, so that a rule which no longer sees anything does not pass.
"""

import ast
import graphlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
import yaml

ROOT = Path(__file__).parents[1]

GROUND = {
    *("agenda", "beside", "chance", "errors", "parameters", "parts", "progress", "record", "scenario", "schedule"),
    *("target", "turns", "typed"),
}
MAY_IMPORT = dict.fromkeys(GROUND, GROUND) | {
    "measure": GROUND | {"measure"},
    "analyse": GROUND | {"analyse"},
    "present": GROUND | {"analyse", "present"},
    "predict": GROUND | {"analyse", "predict"},
    # What is asked of a server is said without the run that asks it.
    "target": {"chance", "errors", "parameters", "schedule", "target"},
    "chance": {"chance"},
    "schedule": {"chance", "errors", "schedule", "turns"},
    "turns": {"chance"},
    "agenda": {"agenda", "schedule"},
    "beside": {"beside", "errors", "parameters"},
    "runner": GROUND | {"measure", "analyse", "present"},
}
MAY_IMPORT["probe"] = {"errors", "measure", "parameters", "probe"}
MAY_IMPORT["studies"] = {*MAY_IMPORT, "studies"}
MAY_IMPORT["command"] = {*MAY_IMPORT, "command", "typed"} - {"measure"}
MAY_IMPORT["__main__"] = {"command"}
MAY_IMPORT["__init__"] = {*MAY_IMPORT}
"""Room of `experiments` (a module or a package in it) -> the rooms that it may import."""

FLOORS = {
    "experiments.measure": {
        "interrupts": set(),
        "host": set(),
        "sampler": {"host"},
        "processes": set(),
        "engines": set(),
        "engines.aio": {"engines"},
        "engines.epoll": {"engines"},
        "engines.threads": {"engines"},
        "limits": {"engines"},
        "preflight": {"limits", "engines", "engines.aio"},
        "servers": {"processes", "host"},
        "services": {"processes", "engines.threads"},
        "generators": {"host", "engines", "engines.aio", "engines.epoll", "engines.threads", "sampler"},
        "generators.dask": {"generators", "host", "servers", "engines", "limits", "precheck", "sampler"},
    },
    "experiments.present": {
        "palette": set(),
        "look": {"palette"},
        "told": set(),
        "format": set(),
        "html": set(),
        "template": {"palette"},
        "axes": {"format"},
        "findings": {"format"},
        "chart_table": {"format", "html"},
        "chart": {"chart_table", "html", "plain_chart", "template"},
        "export": {"html"},
        "subject": {"format"},
        "answer": {"format", "subject", "tables"},
        "top": {"answer", "format", "html"},
        "layout": {"template"},
        "live": {"format", "html", "palette"},
        "result": {"answer", "duets", "format", "html", "tables", "top"},
        "history": {"answer", "format", "html", "palette", "subject", "tables"},
        "charts": {*("axes", "chart", "chart_table", "findings", "format", "html", "layout", "look", "palette", "template")},
        "charts.studies": {
            *("axes", "chart", "charts", "findings", "format", "html", "layout", "look", "palette", "template", "told"),
        },
        "duets": {*("axes", "chart", "findings", "format", "html", "layout", "palette", "template")},
        "tables": {"format", "html"},
        "tables.studies": {"format", "html", "tables", "told"},
    },
    "experiments.studies": {
        "tools.catalogue": set(),
        "tools": {"announcer", "cells", "facade", "params", "study", "text", "tools.catalogue"},
    },
    "experiments.target": {
        "masking": set(),
        "file": set(),
        "requests": {"file", "masking"},
        "answers": {"file", "masking"},
        "origins": {"file", "masking"},
    },
    "server": {
        "payloads": set(),
        "settings": set(),
        "responses": {"payloads", "settings"},
        "database": {"payloads"},
        "systems": {"settings"},
        "systems.isolated": {"catalogue", "systems"},
        "known_answer": {"payloads", "settings", "systems"},
        "catalogue": {"database", "known_answer", "payloads", "systems"},
        "apps": {"database", "payloads", "responses", "settings", "systems"},
        "apps.django": {"database", "responses"},
    },
}
"""Package -> its rooms -> the rooms beside them that they may import. What is not named stands above all of these."""


@cache
def nodes_of(source: str) -> tuple[ast.AST, ...]:
    """All nodes of a file; every rule looks at every file, and reading them takes longer than looking."""
    return tuple(ast.walk(ast.parse(source)))


def imports(source: str, path: str) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it; relative ones made absolute."""
    parts = Path(path).with_suffix("").parts
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = [*parts[: -node.level]] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room_of(dotted: str) -> str:
    """The room that an `experiments...` name lives in; what is no room comes from __init__."""
    room = [*dotted.split("."), "__init__"][1]
    return room if room in MAY_IMPORT else "__init__"


def import_breaches(source: str, path: str) -> list[str]:
    """What a module of `experiments` or `server` imports although it must not know it."""
    package, room, *_ = Path(path).with_suffix("").parts
    if package == "experiments" and room not in MAY_IMPORT:
        return [f"{path} has no place among the rooms: give it one in {Path(__file__).name}"]
    return [
        f"{path} must not import {name}"
        for name in imports(source, path)
        if (top := name.split(".")[0]) in {"experiments", "server"}
        if (top == "experiments" and (package == "server" or room_of(name) not in MAY_IMPORT[room]))
        or (top == "server" and package != "server" and name.split(".")[1:2] != ["catalogue"])
    ]


def room_in(dotted: str, rooms: set[str]) -> str:
    """The innermost of these rooms that a name within their package lives in; the first part of what lives in none."""
    parts = dotted.split(".")
    within = [".".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    return next((room for room in within if room in rooms), parts[0])


def floor_breaches(source: str, path: str) -> list[str]:
    """What a module imports of a room beside its own or above it, by `FLOORS`."""
    module = ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")
    found = []
    for package, floors in FLOORS.items():
        room = room_in(module.removeprefix(f"{package}."), set(floors))
        if not module.startswith(f"{package}.") or room not in floors:
            continue
        beside = [name.removeprefix(f"{package}.") for name in imports(source, path) if name.startswith(f"{package}.")]
        allowed = {room, *floors[room]}
        found += [f"{path} must not import {package}.{one}" for one in beside if room_in(one, set(floors)) not in allowed]
    return found


def circles(tree: dict[str, str]) -> list[str]:
    """The modules that import one another in a circle, at whatever depth of a file, by path -> source."""
    module_of = {path: ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__") for path in tree}
    path_of = {module: path for path, module in module_of.items() if not path.endswith("__init__.py")}
    named = {
        path: {part for full in imports(source, path) for part in (full, full.rpartition(".")[0])}
        for path, source in tree.items()
    }
    edges = {path: {path_of[name] for name in names if name in path_of} - {path} for path, names in named.items()}
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        return [" -> ".join(error.args[1])]
    return []


def modules(*folders: str) -> Iterator[tuple[str, str]]:
    """Path and source of every module in these folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()


def test_modules_import_only_what_they_may_know() -> None:
    """Measuring and reading meet only at the record, and the server knows nobody."""
    tree = modules("experiments", "server")
    assert [line for path, source in tree for line in import_breaches(source, path)] == []


def test_rooms_within_a_package_stand_on_floors() -> None:
    """Inside measure, present and server nothing imports what stands beside it or above it."""
    tree = modules("experiments", "server")
    assert [line for path, source in tree for line in floor_breaches(source, path)] == []


@pytest.mark.parametrize(
    ("path", "source", "breaches"),
    [
        ("experiments/measure/processes/guard.py", "from experiments.measure.servers import local", 1),
        ("experiments/measure/engines/device.py", "from experiments.measure.engines.aio import swarm", 1),
        ("experiments/measure/engines/aio/swarm.py", "from experiments.measure.engines.epoll import swarm", 1),
        ("experiments/measure/engines/aio/swarm.py", "from experiments.measure.engines import device", 0),
        ("experiments/measure/sampler.py", "from experiments.measure import run", 1),
        ("experiments/measure/run.py", "from experiments.measure import sampler, supervise", 0),
        ("experiments/present/tables/verdict.py", "from experiments.present.charts import outcomes", 1),
        ("server/apps/django/wsgi.py", "from server.apps import falcon_asgi", 1),
        ("server/catalogue.py", "from server.systems.peers import PEERS", 0),
    ],
)
def test_a_look_at_a_floor_above_is_seen(path: str, source: str, breaches: int) -> None:
    """A room may look down, into itself and nowhere else."""
    assert len(floor_breaches(source, path)) == breaches


def test_no_modules_import_one_another_in_a_circle() -> None:
    """Whoever reads a module can read what it rests on first."""
    assert circles(dict(modules("experiments", "server"))) == []


def test_a_circle_is_seen_also_within_functions() -> None:
    """Where two modules need each other, a late import hides nothing."""
    tree = {
        "experiments/a.py": "from experiments import b",
        "experiments/b.py": "def f():\n    from experiments.c import g",
        "experiments/c.py": "from experiments.a import x",
    }
    assert len(circles(tree)) == 1
    assert circles(tree | {"experiments/c.py": ""}) == []


def test_no_folder_holds_more_than_fifteen_modules() -> None:
    """What lies side by side can be read at a glance; `__init__` is not counted."""
    tree = modules("experiments", "server", "tests", "benchmarks")
    folders = Counter(str(Path(path).parent) for path, _ in tree if Path(path).stem != "__init__")
    assert {folder: count for folder, count in folders.items() if count > 15} == {}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("experiments/errors.py", "import experiments.measure.sampler"),
        ("experiments/schedule.py", "from experiments import run"),
        ("experiments/record/store.py", "from experiments.analyse.summary import summarise"),
        ("experiments/record/__init__.py", "from ..measure import sampler"),
        ("experiments/measure/sampler.py", "def f():\n    from experiments.present import charts"),
        ("experiments/measure/sampler.py", "from .. import analyse"),
        ("experiments/measure/sampler.py", "import experiments"),
        ("experiments/measure/servers/local.py", "from server import payloads"),
        ("experiments/measure/servers/local.py", "import server.apps.falcon_asgi"),
        ("experiments/measure/servers/local.py", "import server"),
        ("experiments/analyse/latency.py", "from ..measure.sampler import Sampler"),
        ("experiments/analyse/latency.py", "from experiments.present import charts"),
        ("experiments/present/charts.py", "import experiments.measure as m"),
        ("experiments/present/live/run.py", "from experiments.runner import run"),
        ("experiments/target/loading.py", "from experiments.scenario import Scenario"),
        ("experiments/schedule.py", "from experiments.target.file.model import Target"),
        ("experiments/agenda.py", "from experiments.record import rows"),
        ("experiments/target/swarm.py", "from experiments.record import rows"),
        ("experiments/somewhere.py", ""),
        ("server/apps/falcon_asgi.py", "from experiments.errors import LabError"),
        ("server/apps/falcon_asgi.py", "import experiments"),
    ],
)
def test_a_forbidden_import_is_seen(path: str, source: str) -> None:
    """Every way to write an import that a room must not have counts as a breach."""
    assert len(import_breaches(source, path)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("experiments/__init__.py", "from .runner import run\nfrom .present import charts"),
        ("experiments/runner.py", "from experiments import analyse, measure"),
        ("experiments/scenario/model.py", "from ..errors import LabError\nfrom server import catalogue"),
        ("experiments/measure/sampler.py", "from ..record.schema import COLUMNS\nfrom . import x"),
        ("experiments/measure/engines/aio/swarm.py", "import httpx\nfrom experiments import schedule"),
        ("experiments/scenario/model.py", "from experiments.target import loading"),
        ("experiments/target/loading.py", "from experiments.errors import ParameterError"),
        ("experiments/present/tables.py", "from experiments.analyse import latency"),
        ("server/__main__.py", "import uvicorn\nfrom server.apps.falcon_asgi import create_app"),
    ],
)
def test_a_permitted_import_is_no_breach(path: str, source: str) -> None:
    """What the house allows passes, written absolutely or relatively."""
    assert import_breaches(source, path) == []


PATTERN_READERS = {"read_parquet", "scan_parquet", "read_csv", "scan_csv", "read_ndjson", "scan_ndjson", "read_ipc"}
"""What takes a path for a pattern by itself: a folder `lab[3]` is then read as `lab3`."""


def pattern_breaches(source: str, path: str) -> list[str]:
    """Where a table is read by a name that may be taken for a pattern."""
    calls = [node for node in nodes_of(source) if isinstance(node, ast.Call)]
    readers = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in PATTERN_READERS]
    return [
        f"{path}:{call.lineno} reads by a name that may be a pattern: give glob=False, or the bytes"
        for call in readers
        if not (call.args and ast.unparse(call.args[0]).startswith("io.BytesIO("))
        and not any(keyword.arg == "glob" and ast.unparse(keyword.value) == "False" for keyword in call.keywords)
    ]


def test_no_path_is_a_pattern() -> None:
    """Every path is a path, in the product and in its tests."""
    files = [path for folder in ("experiments", "server", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert not [breach for path in files for breach in pattern_breaches(path.read_text(), str(path.relative_to(ROOT)))]


def test_a_path_that_may_be_a_pattern_is_seen() -> None:
    """A name alone is a breach; glob=False, or bytes in place of a file, are none."""
    source = "pl.read_parquet(path)\npl.read_parquet(path, glob=False)\npl.read_csv(io.BytesIO(content))\n"
    assert [breach.split(" ")[0] for breach in pattern_breaches(source, "it.py")] == ["it.py:1"]


def study_breaches(source: str, path: str) -> list[str]:
    """Where a module of a study that decides or works out knows how things are shown."""
    below = Path(path).stem in {"study", "params", "strategy", "rows", "grid", "blocks", "light", "search", "statistics"}
    known = imports(source, path) if below else ()
    return [f"{path} must not import {name}" for name in known if name.startswith("experiments.present")]


def test_what_a_study_decides_does_not_know_how_it_is_shown() -> None:
    """Parameters, strategies and rows stand below the page and its sentences."""
    assert [line for path, source in modules("experiments/studies") for line in study_breaches(source, path)] == []
    wrong = "from experiments.present.format import count"
    assert len(study_breaches(wrong, "experiments/studies/sweep/rows.py")) == 1
    assert study_breaches(wrong, "experiments/studies/sweep/page.py") == []


def test_every_folder_of_modules_is_a_package() -> None:
    """A folder without __init__.py would be missing from an installed lab, though not here."""
    folders = {Path(path).parent for path, _ in modules("experiments", "server")}
    assert [str(one) for one in folders if not (ROOT / one / "__init__.py").exists()] == []


def test_no_module_is_called_utils() -> None:
    """Each file is named for what it owns, which `utils` never says."""
    tree = modules("experiments", "server", "tests", "benchmarks")
    assert [path for path, _ in tree if Path(path).stem in {"util", "utils"}] == []


def wall_clock_breaches(source: str, path: str) -> list[str]:
    """Where a module asks for the time of a clock that people and NTP may set."""
    nodes = nodes_of(source)
    asked = [*imports(source, path), *(ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute))]
    return sorted({f"{path} asks {name}" for name in asked if name in {"time.time", "time.time_ns"}})


def test_a_clock_that_is_set_moves_no_figure() -> None:
    """What measures and serves takes every duration from clocks that only go forward; a log says the time of day."""
    tree = modules("experiments/measure", "experiments/record", "server")
    found = [line for path, source in tree for line in wall_clock_breaches(source, path)]
    dates_lines = "experiments/measure/processes/guard.py asks time.time"
    assert found == [dates_lines], "it dates the lines of server.log, and measures nothing"
    ways = ("import time\nbegan = time.time()", "from time import time", "import time\nask = time.time_ns")
    assert [len(wall_clock_breaches(source, "experiments/measure/x.py")) for source in ways] == [1, 1, 1]


def test_every_test_says_what_behaviour_it_holds() -> None:
    """A docstring is one sentence at least, with a full stop, and stands in every test."""
    silent = [
        f"{path}::{node.name}"
        for path, source in modules("tests")
        for node in nodes_of(source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not re.fullmatch(r"[^\n].*?\.", ast.get_docstring(node) or "", re.DOTALL)
    ]
    assert silent == []


def says_more(docstring: str, name: str) -> bool:
    """Whether a docstring is a sentence of its own, and has a word that its test's name has not.

    Words are the same if they begin alike: `failed` and `failure`. What begins with "And" only goes on with the name.
    """
    words = re.findall(r"[a-z0-9_.%]+", docstring.lower())
    known = {word[:4] for word in name.split("_")} | {"a", "the", "is", "are", "it", "of", "that", "this", "in", "to", "by"}
    return words[:1] not in [["and"], ["nor"], ["not"], ["or"], ["but"]] and any(word[:4] not in known for word in words)


def test_no_docstring_of_a_test_repeats_its_name() -> None:
    """It stands alone and adds something, so that a reader learns what must come out, or why."""
    repeating = [
        f"{path}::{node.name}"
        for path, source in modules("tests")
        for node in nodes_of(source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if not says_more(ast.get_docstring(node) or "", node.name)
    ]
    assert repeating == []
    assert not says_more("A poll that failed is counted.", "test_a_failure_of_a_poll_is_counted")
    assert not says_more("And counted.", "test_a_run_is_left_out")


def test_no_test_imports_a_private_name() -> None:
    """What a test needs by name is public, or is tried through what uses it."""
    ours = ("experiments", "server", "benchmarks")
    private = [
        f"{path} imports {name.name} of {node.module}"
        for path, source in modules("tests")
        for node in nodes_of(source)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ours
        for name in node.names
        if name.name.startswith("_")
    ]
    assert private == []


def notebook_breaches(path: Path) -> list[str]:
    """What a notebook holds although it must not, or lacks."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    imported = [name for cell in cells for name in imports(cell.source, path.name)]
    rules = {
        "holds outputs": any(cell.outputs for cell in cells),
        "holds execution counts": any(cell.execution_count is not None for cell in cells),
        "names a kernel other than python3": kernel_of(notebook) != "python3",
        "needs exactly one cell tagged parameters": len(tagged) != 1,
        "imports more than experiments": any(
            name.split(".")[0] != "experiments" or name.count(".") > 1 for name in imported
        ),
        "defines a function or a class": any(
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in nodes
        ),
    }
    found = [f"{path.name} {rule}" for rule, broken in rules.items() if broken]
    known = papermill.inspect_notebook(str(path)) if len(tagged) == 1 else {}
    return found + [
        f"{path.name}: papermill sees no type or meaning of {name}"
        for name in (assigned_in(tagged[0].source) if len(tagged) == 1 else [])
        if not known.get(name, {}).get("help") or known[name]["inferred_type_name"] == "None"
    ]


def kernel_of(notebook: Any) -> str | None:
    """The kernel that a notebook asks for."""
    return notebook.metadata.get("kernelspec", {}).get("name")


def assigned_in(source: str) -> list[str]:
    """The names that a cell of `name: type = value` lines gives a value."""
    nodes = ast.parse(source).body
    return [
        ast.unparse(target)
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]


def write_notebook(path: Path, parameters: str, *cells: Any, kernel: str = "python3") -> Path:
    """Write a notebook of one parameters cell and these further cells."""
    tagged = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    metadata = {"kernelspec": {"name": kernel, "display_name": "", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[tagged, *cells], metadata=metadata), path)
    return path


def test_notebooks_are_thin_clean_and_typed() -> None:
    """In git a notebook has no outputs, its logic is in `experiments`, its parameters are typed."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [line for path in notebooks for line in notebook_breaches(path)] == []


def test_a_careless_notebook_is_seen(tmp_path: Path) -> None:
    """Each thing that a notebook must not hold is named, and a good notebook has none."""
    good = "clients: int = 500  # count, devices"
    code = nbformat.v4.new_code_cell
    assert notebook_breaches(write_notebook(tmp_path / "good.ipynb", good)) == []
    bad = write_notebook(
        tmp_path / "bad.ipynb",
        "clients = 500",
        code("import time\ndef f(): ...", execution_count=1),
        code("from experiments.runner import run", outputs=[nbformat.v4.new_output("stream")]),
        kernel="lab",
    )
    assert notebook_breaches(bad) == [
        "bad.ipynb holds outputs",
        "bad.ipynb holds execution counts",
        "bad.ipynb names a kernel other than python3",
        "bad.ipynb imports more than experiments",
        "bad.ipynb defines a function or a class",
        "bad.ipynb: papermill sees no type or meaning of clients",
    ]
    two = code(good, metadata={"tags": ["parameters"]})
    assert notebook_breaches(write_notebook(tmp_path / "two.ipynb", good, two)) == [
        "two.ipynb needs exactly one cell tagged parameters"
    ]


def params_breaches(path: Path, notebooks: Path) -> list[str]:
    """What a file of parameters says that its notebook would not take, or does not explain."""
    notebook = notebooks / f"{path.name.split('.')[0]}.ipynb"
    if not notebook.exists():
        return [f"{path.name}: there is no {notebook.name}"]
    text = path.read_text()
    tree = yaml.compose(text)
    if not isinstance(tree, yaml.MappingNode):
        return [f"{path.name} is not a list of `name: value` lines"]
    known = papermill.inspect_notebook(str(notebook))
    found = []
    for key, value in tree.value:
        rest = text[value.end_mark.index :].partition("\n")[0]
        rules = {
            f"is not a parameter of {notebook.name}": key.value not in known,
            "has more than one value": not isinstance(value, yaml.ScalarNode),
            "has no comment on its line": not re.match(r"\s+# *\w", rest),
        }
        found += [f"{path.name}: {key.value} {rule}" for rule, broken in rules.items() if broken]
    return found


def test_parameter_files_fit_their_notebooks() -> None:
    """Every key of params/*.yaml is a parameter of the notebook it is named for, and explained."""
    files = sorted(path for path in (ROOT / "params").glob("*") if path.name != "targets")
    assert [line for path in files for line in params_breaches(path, ROOT / "notebooks")] == []


def test_a_careless_parameter_file_is_seen(tmp_path: Path) -> None:
    """An unknown, nested or unexplained key is named, and a good file passes."""
    cell = "clients: int = 500  # count\nratio: str = '10:1'  # A : B"
    write_notebook(tmp_path / "run.ipynb", cell)
    lines = {
        "run.yaml": "clients: 5  # devices\nratio: '1:1'  # as often",
        "run.bad.yaml": "cleints: 5  # devices\nratio: '#1'\nclients: [1, 2]  # devices",
        "other.yaml": "clients: 5  # devices",
        "run.text.yaml": "clients",
    }
    for name, text in lines.items():
        (tmp_path / name).write_text(text)
    assert [params_breaches(tmp_path / name, tmp_path) for name in lines] == [
        [],
        [
            "run.bad.yaml: cleints is not a parameter of run.ipynb",
            "run.bad.yaml: ratio has no comment on its line",
            "run.bad.yaml: clients has more than one value",
        ],
        ["other.yaml: there is no other.ipynb"],
        ["run.text.yaml is not a list of `name: value` lines"],
    ]
