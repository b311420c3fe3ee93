"""What is done without a judgement: link by one equal key, and compare the employers' names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from recorded_careers import Contact, Delivery, Row, letters_and_digits


def naive_moves(
    contacts: Sequence[Contact], delivery: Delivery
) -> Iterator[tuple[Contact, str, date]]:
    """Contact, new employer and day of each move: the present employer is written otherwise.

    Linked by page, else by address, else by name and employer; the first profile that has the key.
    """
    index: dict[str, Row] = {}
    for profile in delivery.profiles:
        for key in profile_keys(profile):
            index.setdefault(key, profile)
    for contact in contacts:
        found = next((index[key] for key in contact_keys(contact.row) if key in index), None)
        if found is None:
            continue
        present = [job for job in found["experience"] if not job["end_date"]]
        if not present:
            continue
        newest = max(present, key=lambda job: job["start_date"] or "")["company"]["name"]
        if letters_and_digits(newest) != letters_and_digits(contact.row["organisation"]):
            verified = found["job_last_verified"]
            yield contact, newest, date.fromisoformat(verified) if verified else delivery.day


def contact_keys(row: Row) -> list[str]:
    keys = []
    if row["linkedin_url"]:
        keys.append("page:" + row["linkedin_url"].rpartition("/")[2])
    if row["email"]:
        keys.append("mail:" + row["email"])
    name = f"{row['first_name'] or ''} {row['last_name'] or ''}".lower()
    return [*keys, f"name:{name}|{letters_and_digits(row['organisation'])}"]


def profile_keys(profile: Row) -> list[str]:
    keys = []
    if profile["linkedin_url"]:
        keys.append("page:" + profile["linkedin_url"].rpartition("/")[2])
    addresses = [*profile["personal_emails"], *(one["address"] for one in profile["emails"])]
    keys += [f"mail:{address}" for address in addresses]
    name = f"{profile['first_name']} {profile['last_name']}"
    employers = {letters_and_digits(job["company"]["name"]): None for job in profile["experience"]}
    return [*keys, *(f"name:{name}|{employer}" for employer in employers)]
