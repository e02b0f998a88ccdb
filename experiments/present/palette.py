"""Fixed colours and patterns, the same in every chart, table and live view.

Colours are those of Okabe and Ito, which people who see colours differently can tell apart; dash, marker and pattern
repeat what colour says. Source: Okabe & Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

BLUE, ORANGE, GREEN, SKY = "#0072B2", "#E69F00", "#009E73", "#56B4E9"
RED, PURPLE, YELLOW, BLACK, GREY = "#D55E00", "#CC79A7", "#F0E442", "#222222", "#8A8A8A"

ENDPOINT_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED, BLACK)
"""Of the endpoints of a run, in the target's order: A is the first, B the second."""

PERCENTILES = (("p50", "solid", 2.4), ("p95", "dash", 1.7), ("p99", "dot", 1.7))
"""Percentile, dash and width of its line; longest dash for the most frequent."""

OUTCOME_COLOURS = {
    "http_error": PURPLE,
    "wrong_body": PURPLE,
    "checks": PURPLE,
    "connect_refused": BLACK,
    "connect_timeout": BLACK,
    "connect_failed": BLACK,
    "read_timeout": RED,
    "reset": ORANGE,
    "closed": ORANGE,
    "protocol_error": GREEN,
    "generator_error": GREY,
    "interrupted": GREY,
    "unsent_busy": SKY,
    "unsent_late": GREY,
}
"""Reason -> colour of its row; the row's own label tells those apart that share one."""

OTHER_COLOUR = GREY
