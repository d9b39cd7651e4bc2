"""Lines of text from a file, a gzip file or standard input; errors name the line and byte."""

import gzip
import io
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from iyu.schemas.contract.errors import InputError

STDIN: Final = "-"
GZIP_MAGIC: Final = b"\x1f\x8b"
PARQUET_MAGIC: Final = b"PAR1"
#: An .xlsx is a zip archive.
ZIP_MAGIC: Final = b"PK\x03\x04"
#: Characters in one line: far above any review, far below what a machine can hold.
LINE_LIMIT: Final = 1 << 24


class _Counted(io.BufferedReader):
    """A buffered file that counts the bytes and lines read from it."""

    bytes_read = 0
    lines_read = 0

    def read1(self, size: int = -1, /) -> bytes:
        block = super().read1(size)
        self.bytes_read += len(block)
        self.lines_read += block.count(b"\n")
        return block


def is_stream(path: str) -> bool:
    """Whether it can be read only once, as it comes: standard input, a named pipe, `<(…)`."""
    if path == STDIN:
        return True
    try:
        mode = Path(path).stat().st_mode
    except OSError:  # `check_file` says what is wrong
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check_file(path: str) -> Path:
    """Return the path of a file that can be opened.

    Raises InputError for one that is missing, a directory, empty or forbidden.
    """
    file = Path(path)
    if file.is_dir():
        raise InputError(f"{path} is a directory; name a file in it")
    if not file.exists():
        raise InputError(f"{path} does not exist; check the path, or give - for standard input")
    try:
        with file.open("rb") as opened:
            head = opened.read(4)
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}; check its owner") from error
    if not head:
        raise InputError(f"{path} is empty; it needs a line of column names and then reviews")
    if head == ZIP_MAGIC:
        raise InputError(f"{path} is an archive or an Excel file; save it as CSV (UTF-8)")
    return file


def is_parquet(file: Path) -> bool:
    """Whether a file begins as Parquet does."""
    with file.open("rb") as opened:
        return opened.read(4) == PARQUET_MAGIC


@contextmanager
def open_lines(path: str, encoding: str) -> Iterator[Iterator[str]]:
    """Open a text, unpacked if it is gzip; its lines end at a line feed only.

    Raises InputError, also from the lines: a broken gzip, or bytes that are not of the encoding.
    """
    with ExitStack() as stack:
        binary = _open_counted(path, stack)
        _check_kind(binary.peek(4)[:4], path)
        if binary.peek(2)[:2] == GZIP_MAGIC:
            unpacked: Any = stack.enter_context(gzip.GzipFile(fileobj=binary))
            binary = stack.enter_context(_Counted(unpacked))
        text = stack.enter_context(_decoded(binary, encoding))
        yield _lines(text, binary, path, encoding)


def _open_counted(path: str, stack: ExitStack) -> _Counted:
    if path == STDIN:
        buffer: Any = sys.stdin.buffer
        # Below the buffer: a line that somebody types is read at once.
        return stack.enter_context(_Counted(getattr(buffer, "raw", buffer)))
    try:
        return stack.enter_context(_Counted(io.FileIO(path)))
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}; check its owner") from error


def _check_kind(head: bytes, path: str) -> None:
    if head == PARQUET_MAGIC:
        raise InputError(
            f"{_title(path)} is Parquet, which is read from its end: give a file with its name"
        )
    if head == ZIP_MAGIC:
        raise InputError(f"{_title(path)} is an archive or an Excel file; save it as CSV (UTF-8)")


def _decoded(binary: _Counted, encoding: str) -> io.TextIOWrapper:
    # With "-sig" a byte order mark is no part of the first column's name.
    usual = encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
    try:
        return io.TextIOWrapper(binary, encoding="utf-8-sig" if usual else encoding, newline="\n")
    except (LookupError, ValueError):
        raise InputError(
            f"there is no text encoding {encoding!r}; try utf-8, cp949, euc-kr or utf-16"
        ) from None


def _lines(text: io.TextIOWrapper, binary: _Counted, path: str, encoding: str) -> Iterator[str]:
    try:
        yield from _bounded_lines(text, path)
    except UnicodeDecodeError as error:
        raise InputError(_undecodable(error, binary, path, encoding)) from None
    except UnicodeError:
        raise InputError(f"{path} is not {encoding}; name its encoding with --encoding") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{path} is a broken gzip file; get or pack it again") from None


def _bounded_lines(text: io.TextIOWrapper, path: str) -> Iterator[str]:
    # Iterating would read a line that never ends until the memory does.
    read = partial(text.readline, LINE_LIMIT + 1)
    for number, line in enumerate(iter(read, ""), start=1):
        if len(line) > LINE_LIMIT:
            raise InputError(
                f"line {number:,} of {_title(path)} is longer than {LINE_LIMIT:,} characters; "
                "check that its lines end with a line feed"
            )
        yield line


def _undecodable(error: UnicodeDecodeError, binary: _Counted, path: str, encoding: str) -> str:
    rest = error.object[error.start :]
    position = binary.bytes_read - len(rest)
    line = binary.lines_read - rest.count(b"\n") + 1
    hint = "cp949" if encoding.lower().startswith("utf") else "utf-8"
    if position == 0 and rest[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        hint = "utf-16"
    return (
        f"{_title(path)} is not {encoding}: byte {position:,} (line {line:,}) cannot be read; "
        f"name its encoding, for example --encoding {hint}"
    )


def _title(path: str) -> str:
    return "standard input" if path == STDIN else path
