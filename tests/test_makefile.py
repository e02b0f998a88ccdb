"""The Makefile, driven with made-up interpreters and tools: nothing is installed here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Answers what the Makefile asks of a Python 3.11. `-m venv` copies it into .venv, `-m pip` leaves a
# line in pip.log; NO_VENV, NO_PIP and TOO_OLD make it lack what their names say.
INTERPRETER = """\
#!/bin/sh
case "$*" in
-V) echo Python 3.11.9 ;;
*ensurepip*) [ -z "$NO_VENV" ] ;;
*version_info*) [ -z "$TOO_OLD" ] && echo python3.11-venv ;;
*"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*"-m pip"*) echo pip >>pip.log; [ -z "$NO_PIP" ] ;;
esac
"""


class Project:
    """A folder with the Makefile, and ways to run it and to fake its tools."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        self.write("python", INTERPRETER)
        self.write("params/run.quick.yaml", "")

    def write(self, name: str, script: str) -> None:
        """Put an executable file into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def make(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run make, without what an outer make has put into the environment."""
        python = self.folder / "python"
        return subprocess.run(
            ["make", f"PYTHON={python}", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **env},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def installs(self) -> int:
        """How often pip was called so far."""
        log = self.folder / "pip.log"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in an empty folder."""
    if not shutil.which("make"):
        pytest.skip("there is no make here: apt-get install make")
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")


def test_a_missing_venv_module_is_named_with_its_debian_package(project: Project) -> None:
    """On a Debian without python3-venv, make says which package to install."""
    done = project.make(".venv/installed", NO_VENV="1")
    assert done.returncode == 2
    assert "not its venv module: apt-get install python3.11-venv" in done.stderr


def test_an_old_python_is_refused_in_a_sentence(project: Project) -> None:
    """Where every interpreter is too old, make says what it needs and how to name one."""
    done = project.make(".venv/installed", TOO_OLD="1")
    assert done.returncode == 2
    assert "No Python 3.11 or newer found" in done.stderr


def test_what_is_installed_is_not_installed_again(project: Project) -> None:
    """The second make installs nothing; a changed list of packages is installed."""
    project.make(".venv/installed")
    project.make(".venv/installed")
    assert project.installs() == 1
    os.utime(project.folder / "constraints.txt", (2**31, 2**31))
    project.make(".venv/installed")
    assert project.installs() == 2


def test_an_interrupted_install_is_done_again(project: Project) -> None:
    """An install that fails midway does not pass for a complete one."""
    assert project.make(".venv/installed", NO_PIP="1").returncode == 2
    assert project.make(".venv/installed").returncode == 0
    assert project.installs() == 2


def test_a_moved_folder_is_installed_again(project: Project) -> None:
    """A .venv holds absolute paths: after a move it is built anew."""
    project.make(".venv/installed")
    project.folder = project.folder.rename(project.folder.with_name("moved"))
    project.make(".venv/installed")
    assert project.installs() == 2


def test_a_missing_parameter_file_is_refused_before_anything_is_installed(
    project: Project,
) -> None:
    """A mistyped PARAMS costs a second, and the answer lists what there is."""
    done = project.make("report", "PARAMS=params/run.typo.yaml")
    assert done.returncode == 2
    assert 'no parameter file "params/run.typo.yaml"' in done.stderr
    assert "params/run.quick.yaml" in done.stderr
    assert project.installs() == 0


@pytest.mark.parametrize(("stem", "arguments", "words"), [
    ("run", ["report"], "run -f params/run.quick.yaml"),
    ("run", ["report", "ARGS=clients=5"], "run -f params/run.quick.yaml clients=5"),
    ("run", ["report", "ID=007"], "run -f params/run.quick.yaml --id 007"),
    ("sweep", ["sweep"], "sweep -f params/sweep.yaml"),
    ("sweep", ["report", "PARAMS=params/sweep.yaml"], "sweep -f params/sweep.yaml"),
    ("sweep", ["sweep", "ID=1e3"], "sweep -f params/sweep.yaml --id 1e3"),
    ("capacity", ["capacity"], "capacity -f params/capacity.yaml"),
    ("calibrate", ["calibrate"], "calibrate -f params/calibrate.yaml"),
    ("run", ["try"], "try hello"),
    ("run", ["try", "TARGET=./my.yaml"], "try ./my.yaml"),
])  # fmt: skip
def test_a_target_of_make_is_a_command_of_lab(project: Project, stem: str, arguments: list[str], words: str) -> None:
    """make adds the file of parameters and the name, and nothing of its own."""
    project.make(".venv/installed")
    project.write(f"params/{stem}.yaml", "")
    project.write(f"notebooks/{stem}.ipynb", "")
    project.write(".venv/bin/lab", '#!/bin/sh\necho "$@"\n')
    assert project.make(*arguments).stdout.splitlines() == [words]


@pytest.mark.parametrize("exit_code", [1, 2, 3])
def test_whatever_lab_refuses_fails_the_target(project: Project, exit_code: int) -> None:
    """Of the exit code make itself can only say that it is not zero."""
    project.make(".venv/installed")
    project.write(".venv/bin/lab", f"#!/bin/sh\nexit {exit_code}\n")
    assert project.make("report").returncode == 2


def test_help_names_every_target(project: Project) -> None:
    """`make` alone changes nothing: it lists the targets, each with its meaning."""
    lines = project.make().stdout.splitlines()
    targets = {"help", "servers", "report", "calibrate", "sweep", "capacity", "compare", "test", "test-fast", "lint"}
    targets |= {"lab", "benchmark", "clean", "duet", "findings", "probe", "tools", "try"}
    assert {line.split()[0] for line in lines} == targets
    assert project.installs() == 0
