"""Migrator beside the limit and beside a peer, in one run. Started by scripts/bench; figures in docs/performance.md.

make_recorder   the data: a SQLite file shaped like Home Assistant's recorder, always the same
server          a PostgreSQL with durable defaults for the occasion
watch           one process tree: wall clock, processor time, peak memory of each process
limit           a ready file into `states`: nothing can be faster
copying         Migrator's copy of `states`, and nothing else of a run
contenders      who is measured, and how each is started
rounds          the series: round robin, a fresh database each time
results         medians, ratios, targets
machine         where it was measured
report          table, JSON, docs/performance.md
"""
