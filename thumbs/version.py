"""The version of the distribution. A module of its own, so that no part needs the package's other names."""

VERSION = "0.1.0"
