"""Check digits and other arithmetic that tells a number from a look-alike."""

from __future__ import annotations

import math
from collections import Counter

# Length of an IBAN by country, from the SWIFT registry of IBAN formats.
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FK", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
# First and last prefix of the issuers of payment cards, padded to four digits, and the lengths
# of their numbers: ISO/IEC 7812 as the networks publish it.
_ISSUERS = (
    (3000, 3059, (14, 16)),  # Diners Club
    (3095, 3095, (14, 16)),
    (3600, 3699, (14, 16)),
    (3800, 3999, (14, 16)),
    (3400, 3499, (15,)),  # American Express
    (3700, 3799, (15,)),
    (3500, 3599, (16, 17, 18, 19)),  # JCB has 3528 to 3589; generators of test data take all
    (1800, 1800, (15,)),
    (2131, 2131, (15,)),
    (4000, 4999, (13, 16, 19)),  # Visa
    (5100, 5599, (16,)),  # Mastercard
    (2221, 2720, (16,)),
    (2200, 2204, (16, 19)),  # Mir
    (9792, 9792, (16,)),  # Troy
    (6000, 6999, (16, 17, 18, 19)),  # Discover, UnionPay, RuPay, Maestro
    (5000, 5099, (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro, Elo
    (5600, 5899, (12, 13, 14, 15, 16, 17, 18, 19)),
    (6000, 6999, (12, 13, 14, 15)),
    (8100, 8171, (16, 17, 18, 19)),  # UnionPay
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def passes_luhn(digits: str) -> bool:
    """Whether the ASCII *digits* end in their Luhn check digit (ISO/IEC 7812-1, annex B)."""
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """Whether the ASCII *digits* have a card issuer's prefix and length, and pass Luhn."""
    if not 12 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    prefix = int(digits[:4])
    issued = any(a <= prefix <= b and len(digits) in lengths for a, b, lengths in _ISSUERS)
    return issued and passes_luhn(digits)


def passes_mod97(compact: str) -> bool:
    """Whether an IBAN, in capitals and without separators, leaves 1 by ISO 7064 mod 97-10."""
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def entropy(text: str) -> float:
    """Bits per character of *text* by the frequencies of its own characters; 0 when empty."""
    size = len(text)
    counts = Counter(text).values()
    return sum(n / size * math.log2(size / n) for n in counts)
