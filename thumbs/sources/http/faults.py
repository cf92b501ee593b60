"""Why a read over HTTP failed, for logs: without query, headers and addresses."""


class Fault(Exception):
    """The cause of a failed read. Its text may be logged."""
