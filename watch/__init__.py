"""Watching over a server in service: metrics, logs, and whether what comes in still looks as it did."""
