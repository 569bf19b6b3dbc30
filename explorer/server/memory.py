"""How the C library hands memory back, which decides how long a traced run takes."""

import ctypes
import platform

# mallopt's parameters, from glibc's malloc.h, and the largest values that make sense here.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT_BYTES, ONE_BLOCK = 512 * 2**20, 32 * 2**20  # glibc takes no more for the second


def reuse_freed_memory() -> None:
    """Lets glibc keep up to 512 MB of freed memory for the next run; elsewhere nothing.

    By default it gives every large block back to the kernel and asks for it anew, page by
    page. For eight stages of 224×224×64 these page faults cost as much as half the block.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        libc.mallopt(M_MMAP_THRESHOLD, ONE_BLOCK)
        libc.mallopt(M_ARENA_MAX, 1)  # those of other threads are given back all the same
