"""Stand-ins for CRMs on loopback, and the synthetic world that fills them.

A sandbox answers a vendor's HTTP API over a real database file, so that connectors, the vendors'
own clients and other people's clients can be tried without an account. It is a test instrument:
no users, no protection, loopback only.
"""
