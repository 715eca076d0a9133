"""What bytes of a text file say before they are decoded: its byte order mark, another encoding, other line ends."""

import codecs

BYTE_ORDER_MARK = codecs.BOM_UTF8
"""Some programs begin UTF-8 files with it; it is no text."""

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOKED_AT_BYTES = 4096
_FEWEST_BYTES = 4
_HIGH_BYTES = bytes(range(9))
"""First bytes in UTF-16 of letters from Latin to Arabic; in UTF-8 they are rare control characters."""
_SHARE_OF_HIGH_BYTES = 0.7


def fault_of_beginning(beginning: bytes) -> str | None:
    """Return why a file that begins so is no UTF-8, as the rest of a sentence about it; None if it may be."""
    if beginning.startswith(_UTF16_MARKS) or _is_unmarked_utf16(beginning[:_LOOKED_AT_BYTES]):
        return "is UTF-16; save it as UTF-8"
    return None


def fault_of_only_line(line: bytes) -> str | None:
    """Return why a file without any LF cannot be read by lines, as the rest of a sentence about it; None if it can."""
    if b"\r" in line.rstrip(b"\r\n") and b"\n" not in line:
        return "ends its lines with CR alone; save it with LF or CRLF"
    return None


def _is_unmarked_utf16(beginning: bytes) -> bool:
    if len(beginning) < _FEWEST_BYTES:
        return False
    sides = beginning[0::2], beginning[1::2]
    shares = [1 - len(side.translate(None, _HIGH_BYTES)) / len(side) for side in sides]
    if max(shares) >= _SHARE_OF_HIGH_BYTES:
        return min(shares) < _SHARE_OF_HIGH_BYTES / 2
    # Other scripts are no UTF-8, but their spaces and line ends have their zeros on the same side.
    zeros = sorted(side.count(0) for side in sides)
    return zeros[0] == 0 and zeros[1] > 1 and not _is_utf8(beginning)


def _is_utf8(beginning: bytes) -> bool:
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(beginning) - 3  # the last character is cut
    return True
