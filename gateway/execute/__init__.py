"""
From a decision to bytes for the client: the only package that calls upstreams.

Invariants: one retry loop (``failover``), one HTTP client (``pool``), no second attempt after the
first byte to the client, and every request tells its outcome exactly once. Deliberately absent:
redirects, cookies, proxies, HTTP/2, decompression.
"""
