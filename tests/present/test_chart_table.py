"""The figures of a chart as tables."""

import plotly.graph_objects as go

from experiments.present.chart import Chart
from experiments.present.chart_table import MOST_ROWS


def below(figure: go.Figure) -> str:
    """What stands below a chart, as plain text."""
    return repr(Chart(figure, "It is 1.", "A line.", "Read it.").below)


def test_lines_on_one_axis_are_columns() -> None:
    """A row a place; where a line has no value its cell is empty."""
    figure = go.Figure([go.Scatter(x=[1, 2], y=[10, 20], name="a"), go.Scatter(x=[2, 3], y=[5, None], name="b")])
    figure.update_layout(xaxis={"title": {"text": "time, s"}})
    rows = [line.split() for line in below(figure).splitlines()[2:]]
    assert rows == [["time,", "s", "a", "b"], ["1", "10.0"], ["2", "20.0", "5.00"]]


def test_a_long_line_is_thinned_and_keeps_its_highest_value() -> None:
    """Nobody reads six hundred rows, and nobody may miss the spike among them."""
    values = [1.0] * 600
    values[333] = 99.0
    text = below(go.Figure([go.Scatter(x=list(range(600)), y=values, name="a")]))
    assert "333  99.0" in text
    assert f"{MOST_ROWS} of 600 places" in text
    assert len(text.splitlines()) <= MOST_ROWS + 5


def test_categories_are_rows_from_the_top() -> None:
    """As the chart shows them: the last of a category axis stands on top."""
    text = below(go.Figure([go.Scatter(x=[3.0, 1.0], y=["slow", "fast"], name="p50")]))
    assert text.index("fast  1.00") < text.index("slow  3.00")


def test_a_map_is_a_table_with_the_labels_of_its_axes() -> None:
    """The fields hold what is written in them, in the order of the rows."""
    heat = go.Heatmap(x=[0, 1], y=[0], z=[[1, 2]], text=[["1.0 ms", "2.0 ms*"]])
    figure = go.Figure([heat], layout={"xaxis": {"tickvals": [0, 1], "ticktext": ["100", "200"]}})
    assert "100  200" in below(figure)
    assert "1.0 ms  2.0 ms*" in below(figure)


def test_markup_in_a_title_is_not_taken_for_the_pages_own() -> None:
    """Names of endpoints are text, also where plotly would read tags in them."""
    figure = go.Figure([go.Scatter(x=[1], y=[1], name="<script>alert(1)</script>")])
    figure.add_annotation(text="<b>a</b><script>alert(2)</script>")
    content = Chart(figure, "It is 1.", "A line.", "Read it.").below.content
    assert "<script" not in content
