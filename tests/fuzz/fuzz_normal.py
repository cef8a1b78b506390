"""
Fuzz the forms of a text with atheris, guided by coverage: ``python tests/fuzz/fuzz_normal.py``.

Runs by hand, until it finds something or is stopped; libFuzzer's options follow the name, such as
``-max_total_time=60 -max_len=4096``. atheris is in none of our extras: install it beside them.
"""

from __future__ import annotations

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

try:
    import atheris
except ImportError:
    sys.exit("fuzz_normal needs atheris: pip install atheris")

with atheris.instrument_imports(include=["gateway.scan"]):
    from gateway.scan.normal import forms_of

SECONDS_MAX = 2.0  # of one input, instrumented: far above what any takes


def test_one_input(data: bytes) -> None:
    """Any text has forms whose spans lie within it, in order, in bounded time."""
    text = atheris.FuzzedDataProvider(data).ConsumeUnicode(len(data))
    begun = time.process_time()
    forms = forms_of(text)
    took = time.process_time() - begun
    if took > SECONDS_MAX:
        raise AssertionError(f"{len(text)} characters took {took:.1f} s of {SECONDS_MAX}")
    for form in forms:
        before = form.start
        for i in range(len(form.text)):
            start, end = form.span(i, i + 1)
            if not before <= start < end <= form.end <= len(text):
                raise AssertionError(f"{form.how}: character {i} lies at {start} to {end}")
            before = start


if __name__ == "__main__":
    forms_of("Compile \u200bwhat is compiled 0n f1rst use.")
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
