"""Load with faults: two servers behind nginx, their services, and what clients get while each of them fails."""
