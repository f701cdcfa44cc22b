"""Benchmarks: the hub beside a peer (dlt), the same merge by hand, and plain COPY, in ratios of one run."""
