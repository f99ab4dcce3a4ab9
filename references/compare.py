"""Says how far the files in a folder, which a script wrote with --out, agree with the committed ones of their names.
Float64 results should agree to the last bit of float32 or nearly; float32's own error, which stands beside them, is
another on every processor.
"""

import argparse
import json
import re
from pathlib import Path

from references import places


def committed(path):
    """The committed files of that name: pictures of two modules share one."""
    known = [place for place in vars(places).values() if isinstance(place, Path)]
    found = [place for place in known if place.name == path.name and place.is_file()]
    return found + [
        place / path.name for place in known if place.name == path.parent.name and (place / path.name).is_file()
    ]


def tensors(new, old):
    from safetensors import safe_open

    with safe_open(new, "pt") as a, safe_open(old, "pt") as b:
        if set(a.keys()) != set(b.keys()):
            return "other tensors"
        differences = {
            key: (a.get_tensor(key).double() - b.get_tensor(key).double()).abs().max().item() for key in b.keys()
        }
        errors = json.loads((b.metadata() or {}).get("float32_error", "{}"))
        others = {
            k for k, v in (b.metadata() or {}).items() if k != "float32_error" and (a.metadata() or {}).get(k) != v
        }
    equal = sum(difference == 0 for difference in differences.values())
    worst = max(differences, key=differences.get)
    text = f"{equal} of {len(differences)} tensors to the bit"
    if equal < len(differences):
        text += f"; at most {differences[worst]:.1e}, in {worst}"
        text += f" (float32's error there {errors[worst]:.1e})" if worst in errors else ""
    return text + (f"; other metadata: {', '.join(sorted(others))}" if others else "")


def numbers(value, path=""):
    """{path: number or text} of what is in a JSON value."""
    if isinstance(value, dict):
        return {k: v for key, part in value.items() for k, v in numbers(part, f"{path}/{key}").items()}
    if isinstance(value, list):
        return {k: v for i, part in enumerate(value) for k, v in numbers(part, f"{path}/{i}").items()}
    return {path: value}


def json_values(new, old):
    a, b = numbers(json.loads(new.read_text())), numbers(json.loads(old.read_text()))
    if a.keys() != b.keys():
        return f"other keys: {len(a.keys() ^ b.keys())} stand in one of the two"
    texts = [k for k in b if isinstance(b[k], str) and a[k] != b[k]]
    if texts:
        return f"other text at {texts[0]}"
    values = {k: abs(a[k] - b[k]) / (abs(b[k]) or 1) for k in b if isinstance(b[k], (int, float)) and a[k] != b[k]}
    parts = {}
    for key, difference in values.items():
        part = re.sub(r"/\d+$", "", key).rsplit("/", 1)[-1]
        parts[part] = max(parts.get(part, 0), difference)
    return f"{len(b) - len(values)} of {len(b)} values equal; largest relative differences: " + ", ".join(
        f"{part} {difference:.1e}" for part, difference in parts.items()
    )


def lines(new, old):
    a, b = new.read_bytes().split(b"\n"), old.read_bytes().split(b"\n")
    return f"{sum(x != y for x, y in zip(a, b)) + abs(len(a) - len(b))} of {len(b)} lines differ"


def request(new, old):
    """Boundaries are drawn anew each time, and sizes of chunks with them."""

    def plain(path):
        head, _, body = path.read_bytes().partition(b"\r\n\r\n")
        boundary = re.search(rb"boundary=(\S+)", head)
        if b"transfer-encoding: chunked" in head:
            body = unchunked(body)
        return (head + body).replace(boundary[1], b"") if boundary else head + body

    return "the same but for its boundary" if plain(new) == plain(old) else lines(new, old)


def unchunked(body):
    size, _, rest = body.partition(b"\r\n")
    count = int(size, 16)
    return rest[:count] + unchunked(rest[count + 2 :]) if count else b""


KINDS = {".safetensors": tensors, ".json": json_values, ".http": request}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    for path in sorted(p for p in parser.parse_args().folder.rglob("*") if p.is_file()):
        old = committed(path)
        if not old:
            print(f"{path.name}: no such file is committed")
        elif any(path.read_bytes() == o.read_bytes() for o in old):
            print(f"{path.name}: the same bytes")
        else:
            print(f"{path.name}: {KINDS.get(path.suffix, lines)(path, old[0])}")


if __name__ == "__main__":
    main()
