"""The same load measured by tools that are not ours."""
