"""Bytes that a library may read only so much of: hostile files make loops of any length."""

import io


class BudgetedBytesIO(io.BytesIO):
    """A file in memory that raises `OSError` once its allowance is used up.

    What Pillow and zipfile do for each of a million empty chunks or directory entries
    takes seconds and gigabytes, so the number of reads and of bytes is bounded here.
    """

    def __init__(self, data: bytes, *, reads: int, size: int) -> None:
        super().__init__(data)
        self.allow(reads=reads, size=size)

    def allow(self, *, reads: int, size: int) -> None:
        """Sets anew how many reads and bytes are still allowed."""
        self._reads, self._size = reads, size

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self._reads -= 1
        self._size -= len(found)
        if self._reads < 0 or self._size < 0:
            raise OSError("more was read than is allowed")
        return found
