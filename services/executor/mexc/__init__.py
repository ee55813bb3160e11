"""MEXC Futures behind the executor's exchange port: the only place that knows its numbers."""
