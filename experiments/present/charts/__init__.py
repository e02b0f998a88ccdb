"""One function a chart: tables of `analyse` in, a `Chart` out, or None where there is nothing to draw."""
