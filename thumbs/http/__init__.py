"""Request and response values, request targets and conditions. May import `errors`."""
