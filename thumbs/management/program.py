"""Whether a command is the program of its process, which may then be replaced."""

from django.core.management.base import BaseCommand


def is_the_program(command: BaseCommand) -> bool:
    """False under `call_command`: the process is then another program's, such as a test run."""
    return bool(getattr(command, "_called_from_command_line", False))  # Django has no public name for it
