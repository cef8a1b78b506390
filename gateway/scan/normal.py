"""The forms of a text that are scanned: as it was sent, made plain, and decoded."""

from __future__ import annotations

import msgspec

from gateway.scan.decoded import FORMS_MAX, decoded_forms
from gateway.scan.normal_form import Form as Form
from gateway.scan.normal_plain import plain_form
from gateway.scan.normal_traces import latin, traces_of


def forms_of(text: str, *, chars_max: int = 262_144) -> list[Form]:
    """
    *text* as it was sent, then, where it differs, made plain, then what its codes say.

    Of a text longer than *chars_max* the first and the last half as many characters are looked
    through for disguises; the form as sent is always whole. Linear in the text, and never fails.
    """
    forms = [Form(text, "", None, 0, len(text))]
    if len(text) <= chars_max:
        _add_forms(forms, text, 0)
    else:
        half = max(chars_max // 2, 1)
        _add_forms(forms, text[:half], 0)
        _add_forms(forms, text[-half:], len(text) - half)
    return forms


def _add_forms(forms: list[Form], text: str, offset: int) -> None:
    """Add the forms of the window of the original that begins at *offset*."""
    traces = traces_of(latin(text))
    plain = plain_form(text, traces, offset)
    decoded = decoded_forms(text, traces, offset)
    if plain is None:
        forms += decoded
        return
    forms.append(plain)
    # Code may be written in styled letters, or hold something unseen: it decodes once it is plain.
    known = {form.text for form in decoded}
    for form in decoded_forms(plain.text, traces_of(latin(plain.text))):
        if form.text not in known:
            start, end = plain.span(form.start, form.end)
            decoded.append(msgspec.structs.replace(form, start=start, end=end))
    forms += decoded[:FORMS_MAX]
