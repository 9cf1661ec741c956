"""What Metastore thinks: pure functions and values; no Home Assistant, database, network, event loop or clock."""
