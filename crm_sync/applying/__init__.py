"""Carrying out a plan, exactly once where the CRM allows it, and taking it back.

`apply` carries out, `reconcile` finds out what became of writes whose answer was lost, `verify`
reads back, `undo` builds the inverse plan, `settle_by_hand` takes a person's word. All of them
speak through the journal (`crm_sync.store.journal`), which is committed before anything is sent.
"""

from crm_sync.applying.by_hand import settle_by_hand

__all__ = ["settle_by_hand"]
