"""How the core calls any connector: tokens, one retry policy, breaker, quota floor, chunks.

A connector speaks once and reports; whether, when and what to ask again is decided here and only
here. `Steady` (in `crm_sync.calls.steady`) is the wrapper that the rest of the core uses.
"""
