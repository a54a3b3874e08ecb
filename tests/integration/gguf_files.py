"""Small GGUF files, right and wrong, written without the program's own code."""
import struct

UINT16, UINT32, INT32, STRING = 2, 4, 5, 8


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, value):
    """A string, a 32-bit number, or bytes that carry their type already."""
    if isinstance(value, bytes):
        return text(key) + value
    if isinstance(value, str):
        return text(key) + struct.pack("<I", STRING) + text(value)
    return text(key) + struct.pack("<II", UINT32, value)


def gguf(pairs, matrices, version=3):
    """`matrices`: (name, columns, rows, type id, bytes of data)."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(matrices), len(pairs))
    head += b"".join(pair(key, value) for key, value in pairs.items())
    data = b""
    for name, columns, rows, kind, size in matrices:
        head += text(name) + struct.pack("<IQQIQ", 2, columns, rows, kind, len(data))
        data += bytes([len(name) + columns % 7]) * size
        data += b"\0" * (-len(data) % 32)
    return head + b"\0" * (-len(head) % 32) + data


LLAMA = {"general.architecture": "llama", "llama.context_length": 2048, "llama.block_count": 2,
         "llama.embedding_length": 64, "llama.attention.head_count": 4,
         "llama.attention.head_count_kv": 2}
F32, Q4_K, Q6_K = 0, 12, 14


def model(**more):
    """A model of one f32 matrix."""
    return gguf({**LLAMA, **{key.replace("__", "."): value for key, value in more.items()}},
                [("t", 32, 1, F32, 128)])


def part(no, count, tensors=None):
    """Part `no`, from 1 on; the first describes the model."""
    split = {"split.no": struct.pack("<IH", UINT16, no - 1),
             "split.count": struct.pack("<IH", UINT16, count),
             "split.tensors.count": struct.pack("<Ii", INT32, tensors or count)}
    return gguf({**(LLAMA if no == 1 else {}), **split}, [(f"t{no}", 32, 1, F32, 128)])
