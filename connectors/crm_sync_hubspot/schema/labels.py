"""What people read about our properties in HubSpot, in French and English: the one place for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["en", "fr"]

GROUP = "crm_sync"
"""The property group that holds them, on contacts and on tasks."""

GROUP_LABEL = "crm-sync"

YES_NO: Mapping[Language, tuple[str, str]] = {"en": ("Yes", "No"), "fr": ("Oui", "Non")}


@dataclass(frozen=True, slots=True)
class Words:
    """The label of a property, what it is for, and the labels of its options by value."""

    label: str
    description: str
    options: Mapping[str, str] = field(default_factory=dict)


_ENGLISH: dict[str, Words] = {
    "crm_sync_moved": Words(
        "No longer at this company", "Set when the person has left the company of this record."
    ),
    "crm_sync_job_change": Words(
        "Job change",
        "What happened to this person's job.",
        {"retitled": "New title", "moved": "Moved to another company", "left": "Left"},
    ),
    "crm_sync_moved_on": Words("Moved on", "When the new job began, or the old one ended."),
    "crm_sync_previous_company": Words(
        "Previous company", "The employer that this record was kept for."
    ),
    "crm_sync_new_company": Words("New company", "Where the person is now."),
    "crm_sync_new_title": Words("New title", "The person's title there."),
    "crm_sync_last_verified": Words(
        "Job last verified", "The date of the evidence behind these fields."
    ),
    "crm_sync_evidence": Words(
        "Job change evidence", "Sources, dates and the rule behind these fields."
    ),
    "crm_sync_key": Words("crm-sync key", "Makes each follow-up task exist only once."),
}

_FRENCH: dict[str, Words] = {
    "crm_sync_moved": Words(
        "N'est plus dans cette entreprise",
        "Coché quand la personne a quitté l'entreprise de cette fiche.",
    ),
    "crm_sync_job_change": Words(
        "Changement de poste",
        "Ce qui est arrivé au poste de cette personne.",
        {"retitled": "Nouvel intitulé", "moved": "A changé d'entreprise", "left": "Est partie"},
    ),
    "crm_sync_moved_on": Words("Date du changement", "Début du nouveau poste, ou fin de l'ancien."),
    "crm_sync_previous_company": Words(
        "Entreprise précédente", "L'employeur pour lequel cette fiche était tenue."
    ),
    "crm_sync_new_company": Words("Nouvelle entreprise", "Où la personne travaille maintenant."),
    "crm_sync_new_title": Words("Nouvel intitulé de poste", "L'intitulé de son poste là-bas."),
    "crm_sync_last_verified": Words(
        "Poste vérifié le", "La date des éléments à l'appui de ces champs."
    ),
    "crm_sync_evidence": Words(
        "Éléments à l'appui", "Les sources, les dates et la règle à l'origine de ces champs."
    ),
    "crm_sync_key": Words("Clé crm-sync", "Fait que chaque tâche de suivi n'existe qu'une fois."),
}

_WORDS: Mapping[Language, Mapping[str, Words]] = {"en": _ENGLISH, "fr": _FRENCH}


def words(name: str, language: Language) -> Words | None:
    """What people read about this property; None for one that is not ours."""
    return _WORDS[language].get(name)
