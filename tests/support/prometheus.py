"""Reads Prometheus' text format."""

from prometheus_client.parser import text_string_to_metric_families


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric, by the values of its labels in the order of their names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }
