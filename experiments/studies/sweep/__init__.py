"""A grid of cells: how do the figures change with clients, interval, or any other parameter of a run?"""
