"""The modules of tests/system that take longest."""

# Longest first: where several run at once, one that began last would run on alone.
LONGEST = (
    "test_faults_bench",
    "test_cache_processes",
    "test_lifetimes",
    "test_endurance",
    "test_memory",
    "test_send_limits",
    "test_memory_returns",
    "test_documented_install",
    "test_broken_caches",
    "test_wheel_extras",
    "test_fairness",
    "test_siege",
    "test_containers",
    "test_hostile",
    "test_http_source_mutants",
    "test_deadlines",
)
