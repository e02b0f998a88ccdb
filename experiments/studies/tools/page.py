"""A test of tools as the notebook goes through it: asked, tried tool by tool, shown, and written as a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from statistics import median

from experiments.errors import VerdictError
from experiments.measure.host import fingerprint
from experiments.present.chart import Chart
from experiments.present.charts.studies import tools as drawn
from experiments.present.format import duration
from experiments.present.html import Markup, element, note
from experiments.present.live.run import to_stdout
from experiments.present.result.shown import Shown
from experiments.present.tables.sortable import SortableTable
from experiments.present.tables.studies import capacity as facts
from experiments.present.tables.studies import tools as tables
from experiments.present.told import Told
from experiments.studies.announcer import Announcer
from experiments.studies.facade import Facade
from experiments.studies.study import each
from experiments.studies.text import folder
from experiments.studies.tools import result as tools_result
from experiments.studies.tools import rows as made
from experiments.studies.tools import shown, text
from experiments.studies.tools.advice import advice
from experiments.studies.tools.bench import BESIDE_S, Attempts, Came, Step
from experiments.studies.tools.judge import Row
from experiments.studies.tools.params import Asked

PAGE = "tools.md"

_NOTHING = note("No tool was tried.")


class Tools(Facade[Asked]):
    """What `tools.ipynb` asks, and what came of it."""

    asks = Asked
    bench = Attempts

    def asked(self) -> Markup:
        """Which tools are there, which answers they are tried with, and how long that takes."""
        own, steps = self.study.asked.own, self._steps
        pairs = [
            ("tools", f"{len(steps)} of {len(self.study.asked.tools)} are installed"),
            ("answers", ", ".join(own.answers)),
            ("load", f"{own.clients} clients, every {own.interval_ms:g} ms, {own.seconds:g} s"),
        ]
        left = [step for step in steps if not self.study.found(step).done]
        one_s = -(-len(own.answers) // own.lanes) * (own.seconds + BESIDE_S)
        time = [] if self.study.shown else [("time", f"about {duration(one_s * len(left))}")]
        return facts.facts([*pairs, *time, *folder(self.study)], label="the test of tools")

    @cached_property
    def _steps(self) -> list[Step]:
        """The tools that are there; of an earlier test those that were tried."""
        asked = self.study.asked
        steps = [
            Step(tool, [one for one in asked.own.answers if one not in tool.spared], asked.load, asked.own.lanes)
            for tool in asked.tools
        ]
        if self.study.shown:
            return [step for step in steps if self.study.found(step).done]
        return [step for step in steps if not step.tool.missing]

    def measure(self) -> Markup:
        """Tries every tool that was not tried yet; an interrupt ends that, and what is there is shown.

        Returns:
            The tools with their versions, and how those are installed that are not there.

        Raises:
            LabError: the folder belongs to another test or process, or cannot be written.
        """
        left = sum(len(step.answers) for step in self._steps if not self.study.found(step).done)
        lanes = self.study.asked.own.lanes
        announce = Announcer(left, to_stdout, (self.study.asked.own.seconds + BESIDE_S) / lanes)
        self._came: Sequence[Came] = self.study.run(each(self._steps), announce)
        self._write()
        tried = [(one.step.tool.name, one.version or "", "" if one.done else "not tried") for one in self._came]
        return tables.tools([*tried, *((name, "", f"skipped: {why}") for name, why in self._missing.items())])

    @property
    def _missing(self) -> dict[str, str]:
        tried = {step.tool.name for step in self._steps}
        return {tool.name: tool.missing or "not tried" for tool in self.study.asked.tools if tool.name not in tried}

    @cached_property
    def _rows(self) -> list[Row]:
        return made.read(self.study.folder.path, self._came)

    @cached_property
    def _told(self) -> list[Told]:
        return [shown.told(row) for row in self._rows]

    def answers(self) -> Markup:
        """The truth: each answer as worked out, and as the server recorded it."""
        return tables.answers(shown.known(self._rows)) if self._rows else _NOTHING

    def glance(self) -> Markup:
        """Tools down, answers across: what is right, and what is wrong."""
        return tables.glance(self._told) if self._told else _NOTHING

    def figures(self) -> SortableTable | Markup:
        """Every figure that a tool prints, beside the truth, and a sentence."""
        return tables.figures(self._told) if self._told else _NOTHING

    def picture(self) -> Chart | Markup:
        """Truth and what each tool says."""
        drawable = any(one.shown is not None and one.times[one.shown].true is not None for one in self._told)
        return drawn.truth_and_said(self._told) if drawable else note("No tool said a time.")

    def advice(self) -> Markup:
        """Question by question: whom to ask."""
        return tables.advice(advice(self._rows)) if self._rows else _NOTHING

    def written(self) -> Markup:
        """Where the page for the docs lies."""
        return element("p", f"The same as a page for the docs: {self.study.folder.path / PAGE}")

    def result(self) -> Shown:
        """What it comes to, once more where "Run All" ends; and as data for whoever reads the notebook and no HTML."""
        return Shown(tools_result.result(self.study.folder.path.name, self._rows, strict=self.study.asked.own.strict))

    def enforce(self) -> None:
        """With `strict`, fails the notebook if an engine of this lab says something wrong; to be called after all is shown.

        Raises:
            VerdictError: names what is wrong.
        """
        wrong = [f"{row.tool.name}, {row.answer}: {row.sentence}" for row in self._rows if row.tool.ours and not row.right]
        if self.study.asked.own.strict and wrong:
            raise VerdictError(f"strict: {' '.join(wrong)}")

    def _write(self) -> None:
        if self.study.shown or not self._rows:
            return
        own = self.study.asked.own
        found = fingerprint.fingerprint()
        page = text.page(
            told=self._told,
            known=shown.known(self._rows),
            versions={one.step.tool.name: one.version or "–" for one in self._came if one.done},
            missing=self._missing,
            advice=advice(self._rows),
            facts={
                "when": f"{datetime.now(UTC):%Y-%m-%d}",
                "machine": f"{found['cores']} cores of {found['cpu_model']}, Python {found['python']}",
                "unrest_ms": 1000 * median(row.truth.late_s(95.0) for row in self._rows),
                "clients": own.clients,
                "interval_ms": own.interval_ms,
                "seconds": own.seconds,
            },
        )
        (self.study.folder.path / PAGE).write_text(page)
