"""
Money: what an answer cost, and the fee for what routing saved. Integers only.

Deliberately absent: prices (``config``), estimates before the answer (``decide``), and any store.
"""
