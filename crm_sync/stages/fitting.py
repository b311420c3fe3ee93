"""Whether the mapping fits the CRM, before anything is read by it or planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_sync.errors import ScopeMissing
from crm_sync.fields import ways_to_make
from crm_sync.mapping import Mapping
from crm_sync.model import Entity
from crm_sync.yamlfile import together

if TYPE_CHECKING:
    from crm_sync.calls.steady import Steady

MAPPED = (Entity.CONTACT, Entity.ACCOUNT, Entity.COLLEAGUE, Entity.TASK)
"""The entities that a mapping may have a section about."""


def refuse_misfit(mapping: Mapping, crm: Steady, connection: str) -> None:
    """Raise `ConfigError` with every line that the CRM's fields do not bear out.

    An object that is closed to these credentials is told by whoever needs it, and a connector
    that describes nothing is taken at the mapping's word.
    """
    problems = mapping.link_problems(crm.capabilities.operations)
    for entity in MAPPED:
        if mapping.reads(entity) is None and not mapping.writes(entity):
            continue
        try:
            described = crm.describe(entity)
        except ScopeMissing:
            continue
        if described:
            ways = ways_to_make(crm, connection, entity)
            problems += mapping.problems(entity, described, ways)
    if problems:
        raise together(problems)
