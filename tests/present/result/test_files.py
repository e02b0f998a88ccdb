"""The files for other programs, read back by those programs' own readers or rules."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import polars as pl
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from experiments.analyse import latency
from experiments.analyse.polls import prepare
from experiments.analyse.summary import summarise
from experiments.present.pages.run import Page
from experiments.present.result import files, histogram, junit, markdown, openmetrics
from experiments.present.result.model import Case, Judgement, Result
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from tests.support.made_up import SMALL, failing, made_up, stalling, target_of

HOSTILE = Result(
    kind="run",
    name="it",
    title="a | b <script>",
    answer="`x` *y*\nz",
    service_level=Judgement(status="missed", said="p99 | <b>"),
    measurement=Judgement(status="valid"),
    cases=[Case(suite="service level", name='a"<&', status="failed", said="\x00\x1b[31m </failure> ]]>")],
)


def schema(name: str) -> dict[str, Any]:
    """A published schema."""
    told: dict[str, Any] = json.loads((files.SCHEMAS / f"{name}.schema.json").read_text())
    return told


def closed(node: Any) -> Any:
    """The same schema, to which what it does not describe is wrong."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    shut = {"additionalProperties": False} if "properties" in node and "additionalProperties" not in node else {}
    return {key: closed(value) for key, value in node.items()} | shut


def test_the_schema_of_results_is_that_of_the_model() -> None:
    """What is published is what is written; made anew by `Result.model_json_schema(mode="serialization")`."""
    published = schema("result")
    assert {"$schema", "$id"} <= set(published)
    made = Result.model_json_schema(mode="serialization")
    assert {key: value for key, value in published.items() if not key.startswith("$s") and key != "$id"} == made


TARGET = """
app: x:y
endpoints:
  status: {request: GET /status, every_s: 0.25, etag: remember, slo: {p99_ms: 50, failure_pct: 1}}
"""


@pytest.mark.parametrize("name", ["as it is", "stalled", "failing", "cut short", "nothing", "target"])
def test_every_summary_is_as_its_schema_says(tmp_path: Path, name: str) -> None:
    """No key is missing, and none is written that is not described."""
    level = SMALL.model_copy(update={"slo_status_p99_ms": 50, "slo_devices_pct": 90})
    records = {
        "as it is": lambda: made_up(tmp_path, SMALL),
        "stalled": lambda: made_up(tmp_path, level, server=stalling(at=5, lasting=2)),
        "failing": lambda: made_up(tmp_path, level, server=failing(Outcome.HTTP_ERROR, status=503)),
        "cut short": lambda: made_up(tmp_path, SMALL, cut_short_at=10.0),
        "nothing": lambda: made_up(tmp_path, SMALL, cut_short_at=0.0),
        "target": lambda: made_up(tmp_path, SMALL, target=target_of(tmp_path / "t", TARGET)),
    }
    summary = json.loads(json.dumps(summarise(records[name]())))
    shut = closed(schema("summary"))
    shut["properties"]["server"]["properties"]["may_use"] = {}
    jsonschema.validate(summary, shut)


def test_a_schema_that_is_broken_is_seen() -> None:
    """A figure that is a text, or a key that is missing, does not pass."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"analysis_version": "2"}, schema("summary"))


def test_the_files_of_a_run_are_written_and_the_step_summary_grows(page: Page, tmp_path: Path) -> None:
    """A CI job's summary is appended to, since other steps write there too."""
    step = tmp_path / "step.md"
    step.write_text("before\n")
    result = page.result().result
    files.write(tmp_path, result, {"GITHUB_STEP_SUMMARY": str(step)})
    assert step.read_text() == "before\n" + (tmp_path / "summary.md").read_text()
    jsonschema.validate(json.loads((tmp_path / "result.json").read_text()), schema("result"))
    assert {"junit.xml", "metrics.prom", "result.json", "summary.md"} <= {path.name for path in tmp_path.iterdir()}


def test_junit_has_a_case_for_each_and_counts_them(page: Page) -> None:
    """A reader that goes by the counts sees what one sees that goes by the cases."""
    result = page.result().result
    root = ElementTree.fromstring(junit.xml(result))
    cases = root.findall("./testsuite/testcase")
    assert len(cases) == int(root.attrib["tests"]) == len(result.cases)
    assert len(root.findall(".//failure")) == int(root.attrib["failures"])
    assert len(root.findall(".//error")) == int(root.attrib["errors"])
    assert [suite.attrib["name"] for suite in root] == list(dict.fromkeys(case.suite for case in result.cases))


def test_junit_takes_any_words_of_a_server() -> None:
    """Characters that no XML may hold are replaced, and marks are escaped."""
    root = ElementTree.fromstring(junit.xml(HOSTILE))
    (failure,) = root.findall(".//failure")
    assert failure.attrib["message"] == "\ufffd\ufffd[31m </failure> ]]>"
    assert root.find(".//testcase").attrib["name"] == 'a"<&'  # type: ignore[union-attr]


def test_markdown_takes_any_words_for_text() -> None:
    """No table breaks, and no tag comes through."""
    told = markdown.markdown(HOSTILE)
    assert "<script>" not in told.replace("\\<", "")
    assert r"a \| b" in told
    assert all(line.count("|") - line.count(r"\|") == 4 for line in told.splitlines() if line.startswith("| **"))


def test_metrics_are_openmetrics(page: Page) -> None:
    """The reference parser reads back every figure, with its labels."""
    result = page.result().result
    families = list(text_string_to_metric_families(openmetrics.text(result)))
    samples = {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}
    for figure in result.figures:
        assert samples[f"lab_{figure.name}", tuple(sorted(figure.labels.items()))] == figure.value
    assert samples["lab_exit_code", ()] == result.exit_code


def read_back(path: Path) -> dict[str, HdrHistogram]:
    """Endpoint -> all intervals of a histogram log together, by HdrHistogram's own reader."""
    reader = HistogramLogReader(str(path), HdrHistogram(1, 4 * 3600 * 10**9, 3))
    found: dict[str, HdrHistogram] = {}
    while (one := reader.get_next_interval_histogram()) is not None:
        if one.get_tag() in found:
            found[one.get_tag()].add(one)
        else:
            found[one.get_tag()] = one
    reader.close()
    return found


def test_the_histogram_log_says_what_the_percentiles_say(record: Record, tmp_path: Path) -> None:
    """HdrHistogram's own reader finds every timed poll, and percentiles within its three digits."""
    polls = prepare(record)
    histogram.write(tmp_path / "response.hlog", record, polls)
    found = read_back(tmp_path / "response.hlog")
    assert set(found) == {"status", "bulk"}
    for endpoint, one in found.items():
        waited = latency.population(polls, endpoint).sort()
        assert one.get_total_count() == len(waited)
        for percent in (50.0, 90.0, 99.0):
            # It rounds to the nearest rank, and a percentile of ours is the next one above.
            rank = latency.nearest_rank(len(waited), percent)
            found_s = one.get_value_at_percentile(percent) / 1e9
            assert 0.998 * waited[rank - 2] <= found_s <= 1.002 * waited[rank - 1]


def test_a_log_of_nothing_can_be_read(tmp_path: Path) -> None:
    """A run that was cut short before its window has a log without intervals."""
    record = made_up(tmp_path, SMALL, cut_short_at=0.0)
    polls = prepare(record).filter(pl.lit(value=False))
    histogram.write(tmp_path / "response.hlog", record, polls)
    assert read_back(tmp_path / "response.hlog") == {}
