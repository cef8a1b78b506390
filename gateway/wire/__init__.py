"""
Dialects: how clients and providers speak, read into and written from the canonical form.

Everything here is pure: bytes in, values out. No event loop, clock, socket or random source; ids
and times are arguments. Between two sides that speak the same dialect only bytes are spliced.
"""
