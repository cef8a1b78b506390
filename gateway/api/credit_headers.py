"""What a reply says of the tenant's credits."""

from __future__ import annotations

from gateway.charging import Bill
from gateway.core.money import usd_text

OUR_MODE = "Credits-Mode"
CREDIT_NAMES = ("Credits-Reserved", "Credits-Deducted", "Balance-After")

Headers = list[tuple[str, str]]


def credit_headers(prefix: str, bill: Bill | None) -> Headers:
    """
    USD reserved, taken and left; nothing where the tenant has no balance. A stream begins before
    anybody knows what it takes: it says what is reserved, and the balance less that.
    """
    if bill is None or not bill.terms.credits:
        return []
    headers = [(prefix + "Credits-Reserved", usd_text(bill.reserved_nano_usd))]
    if bill.deducted_nano_usd is not None:
        headers.append((prefix + "Credits-Deducted", usd_text(bill.deducted_nano_usd)))
    headers.append((prefix + "Balance-After", usd_text(bill.balance_nano_usd)))
    return headers


def our_credit_headers(prefix: str, bill: Bill | None) -> Headers:
    """
    The same with who pays the provider: ``credits``, or ``byok`` for a key of the tenant's own;
    nothing of that where nobody was asked. LockLLM's clients get its word for it on every reply.
    """
    headers = credit_headers(prefix, bill)
    if bill is not None and headers and bill.on_credits is not None:
        headers.insert(0, (prefix + OUR_MODE, "credits" if bill.on_credits else "byok"))
    return headers
