"""`lab`: every question of the lab from a terminal or a CI job.

    \b
    lab run params/run.device.yaml clients=1000
    lab sweep -p clients "[100, 200]" -p repeats 3
    lab try ./my.yaml
    lab open

Exit codes: 0 fine; 1 a service level is missed, or a figure is worse than compare_to; 2 not measurable, or the measurement
is invalid; 3 wrong input.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from experiments.command.given import Given
from experiments.errors import LabError, ParameterError, RecordError

FINE, FAILED, NOT_MEASURED, WRONG_INPUT = 0, 1, 2, 3

Command = TypeVar("Command", bound=Callable[..., Any])

_HELP = {
    "run": "Measure one load against one server.",
    "sweep": "Measure a grid of loads; --id of an earlier one goes on with it.",
    "capacity": "Search how many devices are held within a service level.",
    "compare": "Compare systems at equal load.",
    "tools": "Hold load tools against known answers.",
    "calibrate": "Prove the instrument on this machine.",
}


@click.group(help=__doc__, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def lab() -> None:
    """The group; its help is the module's."""


def _parameters(command: Command) -> Command:
    """The options and words that say what is asked."""
    for option in reversed(
        (
            click.argument("named", nargs=-1, metavar="[NAME=VALUE | PARAMS.yaml]..."),
            click.option("-f", "--params", "files", multiple=True, metavar="FILE", help="A YAML file of parameters."),
            click.option("-p", "--parameters", "pairs", nargs=2, multiple=True, metavar="NAME VALUE", help="A parameter."),
            click.option("-r", "texts", nargs=2, multiple=True, metavar="NAME TEXT", help="A parameter that stays a text."),
            click.option("-y", "yaml", multiple=True, metavar="YAML", help="Parameters as YAML text."),
        )
    ):
        command = option(command)
    return command


def _notebook(name: str) -> None:
    """Adds the command that runs the notebook of this name."""

    @lab.command(name, help=f"{_HELP[name]} The parameters are those of notebooks/{name}.ipynb.")
    @_parameters
    @click.option("--id", "own", default="", metavar="NAME", help="Name of the result's folder; empty for the time.")
    @click.option("--execution-timeout", type=int, help="Seconds after which a cell of the notebook has failed.")
    def command(own: str, execution_timeout: int | None, **asked: Any) -> int:
        from experiments.command.execute import execute
        from experiments.command.kinds import KINDS

        kind, given = KINDS[name], Given.of(**asked)
        options = ["--execution-timeout", str(execution_timeout)] if execution_timeout else []
        return _told(execute(kind, given.with_texts({kind.id: own} if own else {}), options=options))


for _name in _HELP:
    _notebook(_name)


@lab.command(
    "duet", epilog="A server is said in the words of `beside`: a name, a file, a URL, git:REV, falcon==4.1, workers=2."
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.argument("named", nargs=-1, metavar="[seconds=60] [margin_pct=3] [NAME=VALUE]...")
@click.option("--id", "own", default="", metavar="NAME", help="Name of the result's folder; empty for the time.")
def duet_(first: str, second: str, named: Sequence[str], own: str) -> int:
    """Poll two servers at once: 0 if B needs no more than the margin beside A, 1 if it does, 2 if that cannot be told."""
    from experiments.command import duet
    from experiments.command.execute import execute
    from experiments.command.kinds import KINDS

    given, margin_pct = duet.asked(first, second, named)
    given = given.with_texts({KINDS["run"].id: own} if own else {})
    return _told(execute(KINDS["run"], given, judge=duet.judge(margin_pct), stem="duet"))


@lab.command("report")
@click.argument("place", default="latest")
@_parameters
def report(place: str, **asked: Any) -> int:
    """Make the report and the files of an earlier result anew, without measuring: its name, its folder, or an executed
    notebook."""
    from experiments.command import places
    from experiments.command.execute import conclude, execute
    from experiments.command.kinds import KINDS

    found = places.find(place)
    if found.is_file():
        return _told(conclude(found.stem, found))
    kind = KINDS[places.kind_of(found)]
    given = Given.of(**asked).with_texts({kind.shows: str(found)})
    return _told(execute(kind, given, folder=found))


@lab.command("try")
@click.argument("target", default="hello")
@click.argument("named", nargs=-1, metavar="[NAME=VALUE]...")
def try_(target: str, named: Sequence[str]) -> int:
    """Ask what a target asks, once, with one device; 0 if every answer is right, 1 if one is not."""
    from experiments import parameters
    from experiments.runner import try_target
    from experiments.scenario import Scenario

    asked = dict(word.partition("=")[::2] for word in named)
    parameters.check_names(asked, Scenario.model_fields)
    trial = try_target(Scenario.from_parameters({**asked, "target": target}))
    click.echo(repr(trial))
    return FINE if trial.right else FAILED


@lab.command("from")
@click.argument("source")
def from_(source: str) -> int:
    """Print a target made from a HAR file, an OpenAPI 3 document, an access log, or a curl command in quotes."""
    from experiments.target.origins.origin import target_from

    click.echo(target_from(source), nl=False)
    return FINE


@lab.command("open")
@click.argument("name", default="")
def open_(name: str) -> int:
    """Open a report in the browser, by the name of its result; without a name the page of all results."""
    from experiments.command import places

    page = places.page(name)
    click.echo(page)
    click.launch(page.as_uri())
    return FINE


@lab.command("notebook", context_settings={"ignore_unknown_options": True})
@click.argument("name", default="run")
@click.option("--fresh", is_flag=True, help="Make the copies anew; those that were changed are kept beside.")
@click.argument("options", nargs=-1, metavar="[OPTIONS OF JUPYTERLAB]...", type=click.UNPROCESSED)
def notebook(name: str, fresh: bool, options: Sequence[str]) -> int:
    """Explore in JupyterLab, on a copy of the notebooks in work/."""
    from experiments.command import workbench

    if name.startswith("-"):  # An option of JupyterLab's, and no name before it.
        name, options = "run", (name, *options)
    for sentence in workbench.copies(fresh):
        click.echo(sentence)
    return workbench.start(name, options)


def _told(ended: Any) -> int:
    from experiments.command.closing import lines
    from experiments.record.reading import default_results_dir

    where: Path = ended.report or ended.folder
    ours = ended.folder.parent == default_results_dir()
    click.echo("\n".join(lines(ended.result, where, f"lab open {ended.folder.name if ours else ended.folder}")))
    return int(ended.exit_code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the arguments say.

    Returns:
        The exit code.
    """
    try:
        ended = lab.main(args=None if arguments is None else list(arguments), prog_name="lab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return WRONG_INPUT
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return NOT_MEASURED
    except LabError as error:
        click.echo(str(error), err=True)
        return WRONG_INPUT if isinstance(error, ParameterError | RecordError) else NOT_MEASURED
    return int(ended or 0)


def entry() -> None:
    """The console script."""
    sys.exit(main())
