"""A form above a run: target, devices, interval, duration, engine, Run and Stop, for those who would rather not edit Python.

It is HTML with a script and no widget of the kernel: so it is there before a kernel is, can stop a kernel that is busy, and
writes into the cell of parameters, which alone holds the values. It needs the JupyterLab that `lab notebook` starts, which
lets a page reach its own application; anywhere else it stays hidden, and the cell is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.present.html import TEMPLATES, Markup, element, in_jupyterlab, note
from experiments.scenario import ENGINES
from experiments.target import loading

ROLE = {"lab": {"role": "form"}}
"""Metadata of the output: a report is not filled in."""
_FOLDER = TEMPLATES.parent / "jupyterlab"
_NUMBERS = (
    ("clients", "devices", "active at the same time", {"min": "1", "max": "1000000", "step": "1"}),
    ("interval_ms", "interval", "ms between a device's rounds", {"min": "1", "step": "any"}),
    ("minutes", "duration", "minutes, after the warm-up", {"min": "0.001", "step": "any"}),
)


@dataclass(frozen=True, repr=False)
class Form:
    """What the cell displays."""

    markup: Markup

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/html": self.markup.content, "text/plain": repr(self)}, ROLE

    def __repr__(self) -> str:
        return "In JupyterLab a form stands here."


def form() -> Form:
    """The form; where no JupyterLab shows it, a note."""
    return Form(drawn() if in_jupyterlab() else note("In JupyterLab a form stands here."))


def drawn() -> Markup:
    """The form as a page has it: hidden, until its script has found the cell of parameters."""
    style, script = (Markup((_FOLDER / f"form.{kind}").read_text(encoding="utf-8")) for kind in ("css", "js"))
    named = (path.stem for path in sorted(loading.FOLDER.glob("*.yaml")))
    targets = element("datalist", *(element("option", value=name) for name in named), id="lab-targets")
    engines = element("select", *(element("option", name) for name in ENGINES), name="engine")
    fields = [
        _label("target", "what is asked", element("input", name="target", list="lab-targets", required="required")),
        *(
            _label(word, meaning, element("input", name=name, type="number", required="required", **bounds))
            for name, word, meaning, bounds in _NUMBERS
        ),
        _label("engine", "what polls", engines),
        element("button", "Run", type="submit", css="lab-run"),
        element("button", "Stop", type="button", css="lab-stop", disabled="disabled"),
    ]
    said = element("p", css="lab-said", role="status")
    filled = element("form", element("fieldset", *fields, aria_label="what is measured"), targets, said)
    return element("div", element("style", style), filled, element("script", script), css="lab-form", hidden="hidden")


def _label(word: str, meaning: str, field: Markup) -> Markup:
    return element("label", word, element("small", meaning), field)
