"""What holds a submission while `grading` marks it, in words: for the command line's help."""

ENFORCED = (
    "What holds a submission while it is marked. On Linux, where the kernel lets a user have "
    "namespaces (most desktops and servers; containers often forbid it): no network, no other "
    "processes, the whole file system read-only and without the course's checks and the other "
    "submissions, a folder of 64 MB in memory to write in; and limits on memory, processor time, "
    "the size of files, open files and processes. On Linux without namespaces: the limits; "
    "network, programs and files are refused to Python code only. On macOS: limits on time, "
    "processor time, the size of files and open files; memory is not limited. On Windows: time "
    "alone. Everywhere: a process of its own for every answer, killed with all that it started; "
    "network, programs, and files outside its folder refused to Python code; nothing that it sends "
    "is believed but numbers, which are compared in another process. Which of these held is said "
    "at the end."
)
