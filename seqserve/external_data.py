"""Which other files a graph names, read from its bytes without a library for ONNX.

The format is protobuf's: a message is a row of fields, each a key (number and wire type) and a value. Only fields that
lead to a tensor are entered, so a graph of many megabytes is walked in the time of its nodes.
"""

from collections.abc import Iterator

_MODEL, _TRAINING, _GRAPH, _FUNCTION, _NODE, _ATTRIBUTE, _SPARSE, _TENSOR, _ENTRY = range(9)
_INSIDE: dict[int, dict[int, int]] = {
    _MODEL: {7: _GRAPH, 20: _TRAINING, 25: _FUNCTION},
    _TRAINING: {1: _GRAPH, 2: _GRAPH},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {13: _ENTRY},
}
"""For each message of onnx.proto the numbers of its fields that are, or lead to, a tensor's external data."""
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_LARGEST_KEY = 2**32 - 1
_LONGEST_VARINT = 10

_Field = tuple[int, int, int, int]


def external_files(content: bytes) -> set[str]:
    """Return the locations of external data that any tensor of a graph names, in subgraphs and functions too.

    Raises ValueError when the bytes are no protobuf message, or a location is not UTF-8.
    """
    view = memoryview(content)
    found: set[str] = set()
    # A list in place of recursion: a hostile file may nest deeper than Python can call.
    pending = [(_MODEL, 0, len(content))]
    while pending:
        kind, start, end = pending.pop()
        if kind == _ENTRY:
            found.update(_location(view, start, end))
            continue
        inside = _INSIDE[kind]
        for number, wire, first, last in _fields(view, start, end):
            if wire == _BYTES and number in inside:
                pending.append((inside[number], first, last))
    return found


def _location(view: memoryview, start: int, end: int) -> Iterator[str]:
    """Yield the value of an entry whose key is "location"; of a field given twice the last one counts."""
    texts = {number: (first, last) for number, wire, first, last in _fields(view, start, end) if wire == _BYTES}
    key, value = (bytes(view[slice(*texts.get(number, (0, 0)))]) for number in (_KEY, _VALUE))
    if key == b"location":
        yield value.decode("utf-8")


def _fields(view: memoryview, start: int, end: int) -> Iterator[_Field]:
    """Yield number, wire type, and the first and last place of each field's value.

    Whatever protobuf's own parsers could read in another way than this function is refused.
    """
    place = start
    while place < end:
        key, place = _varint(view, place, end)
        number, wire = key >> 3, key & 7
        if not number or key > _LARGEST_KEY:
            raise ValueError(f"there is no field with the key {key}")
        if wire == _VARINT:
            _, last = _varint(view, place, end)
        elif wire == _BYTES:
            size, place = _varint(view, place, end)
            last = place + size
        elif wire in _FIXED_BYTES:
            last = place + _FIXED_BYTES[wire]
        else:
            raise ValueError(f"the wire type {wire} is not used by ONNX")
        if last > end:
            raise ValueError("a field reaches beyond the end of its message")
        yield number, wire, place, last
        place = last


def _varint(view: memoryview, place: int, end: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        if place >= end:
            raise ValueError("a number reaches beyond the end of its message")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError(f"a number is longer than {_LONGEST_VARINT} bytes")
