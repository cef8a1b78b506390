"""A small value that satisfies a JSON schema: for tool calls and structured answers."""

from __future__ import annotations

import math

import msgspec

from gateway.wire.decode import UNREADABLE

WORD = "simulated"
DEPTH_MAX = 32  # of schemas inside schemas; below it values are null
SCHEMAS_MAX = 4000  # looked at in all: two references to the root double at every depth
OPTIONAL_DEPTH_MAX = 4  # below it only required members are filled, so recursive schemas end
ITEMS_MAX = 100  # a larger minItems is ignored: an answer has a limit too
CHARS_MAX = 1000  # likewise of minLength
BOUND_MAX = 2**53  # larger limits are ignored: a float cannot tell their neighbours apart
FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "simulated@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/simulated",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
Object = dict[str, object]
DECODER = msgspec.json.Decoder()


def instance_of(schema: bytes) -> object:
    """
    A value for *schema*, which is JSON: its constants and first choices, else the smallest value
    of its type. ``pattern``, ``not`` and ``if`` are not looked at. A schema that is no JSON object
    allows everything.
    """
    try:
        root = DECODER.decode(schema)
    except UNREADABLE:
        root = {}
    return _Maker(root).make(root, 0)


class _Maker:
    """Makes values for the schemas inside one *root*, which references point into."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._left = SCHEMAS_MAX

    def make(self, schema: object, depth: int) -> object:
        """A value for *schema*, which stands *depth* schemas deep."""
        self._left -= 1
        if depth > DEPTH_MAX or self._left <= 0:
            return None
        spec = self._resolved(schema, depth)
        if "const" in spec:
            return spec["const"]
        choices = spec.get("enum")
        if isinstance(choices, list) and choices:
            return choices[0]
        for name in ("anyOf", "oneOf"):
            options = spec.get(name)
            if isinstance(options, list) and options:
                others = {key: value for key, value in spec.items() if key != name}
                return self.make(_merged(others, _first(options)), depth + 1)
        match kind_of(spec):
            case "object":
                return self._object(spec, depth)
            case "array":
                return self._array(spec, depth)
            case "integer" | "number" as kind:
                return _number(spec, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
        return _string(spec)

    def _resolved(self, schema: object, depth: int) -> Object:
        """*schema* with its reference and its allOf put in."""
        self._left -= 1
        spec = schema if isinstance(schema, dict) else {}
        if depth > DEPTH_MAX or self._left <= 0:
            return spec
        target = spec.get("$ref")
        if isinstance(target, str):
            found = self._resolved(self._pointed(target), depth + 1)
            spec = _merged({key: value for key, value in spec.items() if key != "$ref"}, found)
        parts = spec.get("allOf")
        if isinstance(parts, list):
            spec = {key: value for key, value in spec.items() if key != "allOf"}
            for part in parts:
                spec = _merged(spec, self._resolved(part, depth + 1))
        return spec

    def _pointed(self, target: str) -> object:
        """What ``#/$defs/Name`` points at, nothing for references out of the schema."""
        found = self._root
        for step in target.lstrip("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def _object(self, spec: Object, depth: int) -> Object:
        """Required members; without any, all that are described."""
        known = spec.get("properties")
        properties = known if isinstance(known, dict) else {}
        listed = spec.get("required")
        entries = listed if isinstance(listed, list) else []
        required = [name for name in entries if isinstance(name, str)]
        names = required or (list(properties) if depth <= OPTIONAL_DEPTH_MAX else [])
        return {name: self.make(properties.get(name), depth + 1) for name in names}

    def _array(self, spec: Object, depth: int) -> list[object]:
        """As few items as are allowed, but one where there may be one."""
        heads = spec.get("prefixItems")
        made = [self.make(head, depth + 1) for head in heads] if isinstance(heads, list) else []
        wanted = min(_count(spec.get("minItems"), 0), ITEMS_MAX)
        if depth <= OPTIONAL_DEPTH_MAX and "maxItems" not in spec:
            wanted = max(wanted, 1)
        while len(made) < wanted and self._left > 0:
            made.append(self.make(spec.get("items"), depth + 1))
        return made


def kind_of(spec: Object) -> str:
    """The first type that is not null; without any, what the other members suggest."""
    kind = spec.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in spec or "required" in spec:
        return "object"
    return "array" if "items" in spec else "string"


def _first(options: list[object]) -> object:
    """The first option that is more than null, where there is one."""
    more = (o for o in options if not (isinstance(o, dict) and o.get("type") == "null"))
    return next(more, options[0])


def _merged(spec: Object, more: object) -> Object:
    """Both schemas in one: members of objects united, of everything else *spec*'s first."""
    if not isinstance(more, dict):
        return spec
    united = {**more, **spec}
    for name in ("properties", "required"):
        ours, theirs = spec.get(name), more.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            united[name] = {**theirs, **ours}
        elif isinstance(ours, list) and isinstance(theirs, list):
            united[name] = [*ours, *(entry for entry in theirs if entry not in ours)]
    return united


def _number(spec: Object, *, whole: bool) -> int | float:
    """1, or the number nearest to it that the limits allow."""
    value = 1.0
    step = _bound(spec.get("multipleOf"), 1.0 if whole else 0.0)
    above, below = spec.get("exclusiveMinimum"), spec.get("exclusiveMaximum")
    nudge = step or 0.5
    value = max(value, _bound(spec.get("minimum"), value), _bound(above, -math.inf) + nudge)
    value = min(value, _bound(spec.get("maximum"), value), _bound(below, math.inf) - nudge)
    if step > 0:
        value = math.ceil(value / step) * step
        if value > _bound(spec.get("maximum"), math.inf):
            value -= step
    return int(value) if whole or value.is_integer() else value


def _string(spec: Object) -> str:
    form = spec.get("format")
    word = FORMATS.get(form, WORD) if isinstance(form, str) else WORD
    least = min(_count(spec.get("minLength"), 0), CHARS_MAX)
    most = _count(spec.get("maxLength"), CHARS_MAX)
    while len(word) < least:
        word = f"{word} {WORD}"
    return word if word in FORMATS.values() else word[:most]


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise


def _bound(value: object, otherwise: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= BOUND_MAX:
        return otherwise
    return float(value)
