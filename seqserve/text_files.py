"""What bytes of a text file say before they are decoded: its byte order mark, another encoding, other line ends."""

import codecs

BYTE_ORDER_MARK = codecs.BOM_UTF8
"""Some programs begin UTF-8 files with it; it is no text."""

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SHARE_OF_ZEROS = 0.25
_LOOKED_AT_BYTES = 4096


def fault_of_beginning(beginning: bytes) -> str | None:
    """Return why a file that begins so is no UTF-8, as the rest of a sentence about it; None if it may be."""
    beginning = beginning[:_LOOKED_AT_BYTES]
    # ASCII in UTF-16 has a zero in every other byte; a text of another script has them at spaces and line ends.
    zeros = sorted((beginning[0::2].count(0), beginning[1::2].count(0)))
    if beginning.startswith(_UTF16_MARKS) or (zeros[0] == 0 and zeros[1] > 1 and _is_often(zeros[1], beginning)):
        return "is UTF-16; save it as UTF-8"
    return None


def fault_of_only_line(line: bytes) -> str | None:
    """Return why a file without any LF cannot be read by lines, as the rest of a sentence about it; None if it can."""
    if b"\r" in line.rstrip(b"\r\n") and b"\n" not in line:
        return "ends its lines with CR alone; save it with LF or CRLF"
    return None


def _is_often(num_zeros: int, beginning: bytes) -> bool:
    if 2 * num_zeros >= _SHARE_OF_ZEROS * len(beginning):
        return True
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start < len(beginning) - 3  # not merely cut inside its last character
    return False
