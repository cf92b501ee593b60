"""What a taken-over decoder may still do: Landlock and seccomp in the child processes that render."""
