"""A file in memory whose reads are limited, for parsing untrusted data."""

import io


class BudgetedBytesIO(io.BytesIO):
    """A file in memory that raises `OSError` once its budget of reads or bytes is used up.

    Pillow and zipfile need seconds and gigabytes for a file with a million empty chunks or
    directory entries. The budget stops them early.

    Args:
        data: the file's contents.
        reads: number of calls of `read` allowed.
        size: number of bytes allowed, in all reads together.
    """

    def __init__(self, data: bytes, *, reads: int, size: int) -> None:
        super().__init__(data)
        self.set_budget(reads=reads, size=size)

    def set_budget(self, *, reads: int, size: int) -> None:
        """Replace the remaining budget."""
        self._reads, self._size = reads, size

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as `io.BytesIO.read` does, and charge the budget.

        Raises:
            OSError: the budget is exceeded.
        """
        found = super().read(size)
        self._reads -= 1
        self._size -= len(found)
        if self._reads < 0 or self._size < 0:
            raise OSError("read budget exceeded")
        return found
