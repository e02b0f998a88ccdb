"""A result as JUnit XML, which CI systems show as tests: a case for each service level, check, change and cell.

Source: the format as Jenkins, GitLab and most others read it, https://github.com/testmoapp/junitxml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from experiments.present.result.model import Case, Result

_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped"}
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(result: Result) -> str:
    """The document."""
    suites = dict.fromkeys(case.suite for case in result.cases)
    about = {"name": _text(f"{result.kind} {result.name}"), **_counted(result.cases)}
    root = ElementTree.Element("testsuites", about)
    for suite in suites:
        own = [case for case in result.cases if case.suite == suite]
        node = ElementTree.SubElement(root, "testsuite", {"name": suite, **_counted(own)})
        for case in own:
            _add(node, case, f"{result.kind}.{suite.replace(' ', '_')}")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(suite: ElementTree.Element, case: Case, classname: str) -> None:
    node = ElementTree.SubElement(suite, "testcase", classname=classname, name=_text(case.name))
    if tag := _TAGS.get(case.status):
        ElementTree.SubElement(node, tag, message=_text(case.said)).text = _text(case.said)
    elif case.said:
        ElementTree.SubElement(node, "system-out").text = _text(case.said)


def _counted(cases: Iterable[Case]) -> dict[str, str]:
    states = [case.status for case in cases]
    counts = {"tests": len(states), "failures": states.count("failed"), "errors": states.count("error")}
    return {name: str(value) for name, value in (counts | {"skipped": states.count("skipped")}).items()}


def _text(said: str) -> str:
    """Without the characters that no XML may hold: a server's own words may have any."""
    return _NOT_XML.sub("\ufffd", said)
