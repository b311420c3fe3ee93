"""Where a person or a company is reached: e-mail, telephone, LinkedIn page, web address.

Each key is None where the text is no such thing, or where it tells nobody apart.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from crm_sync.normalise import point_words as lists
from crm_sync.normalise.text import fold, lower

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ROLES = frozenset(lists.ROLE_MAILBOXES)
_FREE_MAIL = frozenset(lists.FREE_MAIL_DOMAINS)
_NO_COMPANYS = frozenset((*lists.FREE_MAIL_DOMAINS, *lists.SHARED_HOSTS))
_DOMAIN = r"((?:[\w-]+\.)+(?:[^\W_]|-){2,})"
_ADDRESS = re.compile(r"([^@ \t\n\r\f+\"<>,;]+)(?:\+[^@ \t\n\r\f]*)?@" + _DOMAIN)
_IN_BRACKETS = re.compile(r"<([^<>]*@[^<>]*)>")
_HOST = re.compile(
    r"(?s)(?:[a-z]+:)?(?://)?(?:[^/@ \t\n\r\f]*@)?(?:www[0-9]?\.)?" + _DOMAIN + r"\.?(?:[:/?#].*)?"
)
_EXTENSION = re.compile(lists.EXTENSION)
_PAGE, _OLD_PAGE = re.compile(lists.LINKEDIN_PAGE), re.compile(lists.LINKEDIN_OLD_PAGE)
_OPAQUE = re.compile(lists.LINKEDIN_OPAQUE_SLUG)
_MOBILE = re.compile(lists.MOBILE_NUMBERS)
_TELLING = re.compile(lists.TELLING_NUMBERS)


def email_key(address: str) -> str | None:
    """`Jane.Roe+crm@Acme.example` is `jane.roe@acme.example`; Google's mail ignores dots.

    None for what is no address, and for mailboxes of a role (`info@`), which are nobody's own.
    """
    found = _ADDRESS.fullmatch(_mail_text(address))
    if not found or found[1] in _ROLES:
        return None
    local, domain = found[1], found[2]
    if domain in {"gmail.com", "googlemail.com"}:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def is_free_mail(domain: str) -> bool:
    """Whether anybody may have an address there. `domain` in lower case."""
    return domain in _FREE_MAIL


def phone_key(text: str, country: str | None = None) -> str | None:
    """Digits with the country's code: `06 39 98 12 34` and `+33 (0)6 39 98 12 34` are one number.

    Without a code, `country` (its name or code) tells how to read it. Where there is none, ten
    digits after a zero are French and ten digits without are North American; the rest has no key.
    """
    said = _EXTENSION.sub("", lower(text.strip(" "))).replace("(0)", "")
    dialled = re.sub("^00", "+", re.sub("[^0-9+]", "", said))
    if dialled.startswith("+"):
        key = _international(dialled)
    else:
        key = _national(dialled, fold(country or ""))
    return _overseas(key) if key and key.startswith("33") else key


def is_mobile_number(key: str) -> bool:
    """Whether a key is a mobile number, where its country's numbers tell."""
    return _MOBILE.search(key) is not None


def is_fixed_line(key: str) -> bool:
    """Whether a key is a fixed line's, where its country's numbers tell: nobody's own."""
    return _TELLING.search(key) is not None and not is_mobile_number(key)


def linkedin_slug(url: str) -> str | None:
    """What names a person's page, whatever the country's host, case, percent signs or language.

    Comparable with others unless `is_opaque_slug`.
    """
    low = lower(url.strip(" "))
    old = _OLD_PAGE.search(low)
    if old:
        return _decoded(f"{old[1]}-{old[4]:0>3}{old[3]:0>3}{old[2]}")
    found = _PAGE.search(low)
    return _decoded(found[1]) if found else None


def is_opaque_slug(slug: str) -> bool:
    """Whether LinkedIn made this id up: it names the same page as a readable slug does."""
    return _OPAQUE.search(slug) is not None


def host(address: str) -> str | None:
    """The host of a web page or an e-mail address, as typed but in lower case, without `www.`."""
    found = _HOST.fullmatch(lower(address.strip(" ")))
    return found[1] if found else None


def registrable_domain(host: str) -> str | None:
    """`shop.acme.co.uk` is `acme.co.uk`; None for free mail and for pages on shared sites.

    Works offline, from the public suffixes that tldextract carries.
    """
    domain = host if host.count(".") == 1 else _extract()(host) or host
    return None if domain in _NO_COMPANYS else domain


def _mail_text(address: str) -> str:
    bracketed = _IN_BRACKETS.search(address)
    text = lower((bracketed[1] if bracketed else address).strip(" "))
    return text.removeprefix("mailto:").split("?", 1)[0].strip(" .;,")


def _international(dialled: str) -> str | None:
    if not re.fullmatch(r"\+[0-9]{8,15}", dialled):
        return None
    return re.sub(f"^({lists.TRUNK_AFTER_CODE})0", r"\1", dialled[1:])


def _national(digits: str, country: str) -> str | None:
    numbering = _numberings().get(country)
    if numbering is None and country:
        return None
    if numbering is None:
        for code, pattern in lists.UNPLACED_NUMBERINGS.items():
            if re.fullmatch(pattern, digits):
                return _with_code(digits, code)
        return None
    if re.fullmatch(numbering.national, digits):
        return numbering.code + digits.removeprefix(numbering.trunk)
    if re.fullmatch(numbering.with_code, digits):
        return digits
    return None


def _with_code(digits: str, code: str) -> str:
    """A number as `UNPLACED_NUMBERINGS` takes it: with its code already, or with a zero."""
    return digits if digits.startswith(code) else code + digits.removeprefix("0")


def _overseas(key: str) -> str:
    for code, prefixes in lists.OVERSEAS_NUMBERS.items():
        if re.fullmatch(f"33({prefixes})[0-9]{{6}}", key):
            return code + key[2:]
    return key


def _decoded(slug: str) -> str | None:
    try:
        for _ in range(2):
            slug = unquote_to_bytes(slug).decode()
    except UnicodeDecodeError:
        return None
    return lower(unicodedata.normalize("NFC", slug.replace("\0", ""))) or None


@cache
def _numberings() -> Mapping[str, lists.Numbering]:
    return {country: some for some in lists.NUMBERINGS for country in some.countries}


@cache
def _extract() -> Callable[[str], str]:
    import tldextract

    extract = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True
    )
    return lambda host: extract(host).top_domain_under_public_suffix
