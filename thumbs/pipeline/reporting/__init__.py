"""What is reported of requests: to metrics, to the access log, to the log of failures, and to readiness."""
