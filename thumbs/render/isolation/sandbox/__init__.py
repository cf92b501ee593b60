"""What the kernel refuses to a child: Landlock for files, seccomp for system calls. Imports no other room."""
