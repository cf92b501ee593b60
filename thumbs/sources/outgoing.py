"""Header fields for the requests of the read that runs in this context, such as those of its trace."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

# Only origins of the configuration get them, as they get `request_headers`.
OUTGOING: ContextVar[Mapping[str, str]] = ContextVar("outgoing", default=MappingProxyType({}))
