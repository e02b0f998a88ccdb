"""Where a shard of the devices runs: in a process, in this kernel, or on a Dask cluster."""
