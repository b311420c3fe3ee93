"""HubSpot's words without the values in them.

HubSpot repeats values unquoted, and not only those that were sent: a rule of the portal may name
another property's. So what stands where values stand is cut, whatever it is, up to the last place
where it can end; names of properties, codes, scopes and ids of records stay. Where the two cannot
be told apart, a name is lost rather than a value shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from crm_sync.calls.words import GONE, without_values

_NAMED = re.compile(r"[Pp]ropert(?:y|ies)(?: named)? [\"'“]?(\w{1,100})[\"'”]?")
_OPTIONS = re.compile(r"(allowed options):.*", re.DOTALL)
_SENTENCE = re.compile(
    r"(?<=[.;])\s+(?=(?:Propert(?:y|ies)|Values?|Fields?|The|This|An?|Please|See|Existing)\b)"
)

_VERBS = (
    r"(?:is|was|are|were|must|can|cannot|could|should|has|have|does|do|did|exceeds|already"
    r"|(?:is|was|are|were|does|do|can)n?['’]t)"
)
_END = re.compile(
    rf"\s(?:{_VERBS}\s(?:not|no|invalid|malformed|too|already|longer|shorter|out|only|be|been"
    r"|required|unique|missing|taken|used|set)|already\sexists|exceeds|cannot\sbe"
    r"|(?:is|was|are|were|does|do|ca)n['’]t)\b"
)
"""Where what HubSpot says of a value begins."""

_EQUALS = re.compile(r"(?<![\w=])([\w.-]+\s?=\s?)(?!=)")
_BRACKETS = re.compile(r"[}\])]")
_SAFE_KEYS = frozenset({"propertyname", "objecttype", "legacyobjecttype", "type", "code"})
_SAFE_VALUE = re.compile(r"\w+(?=[\s,.;}\])]|$)")

_VALUE = re.compile(
    r"\b(?:values?(?:\s(?:for|of|in|on)\s(?:the\s)?(?:property|field)\s[\"'“]?\w+[\"'”]?)?"
    rf"(?::\s+|\s+(?!(?-i:{_VERBS}|of type|that)\b))"
    r"|(?:contact|company|deal|task|record|object|owner|user)s?\s(?:named|called"
    r"|with\s(?:\w+\s){0,3}(?:name|e-?mail|address|phone|number|title|domain)):?\s+)(?=\S)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b((?:when|if|unless|while|where|because|since|until)\s.*?\s"
    r"(?:is|are|was|were|be|becomes|equals|contains|has(?:\sthe)?\svalue)\s"
    r"(?:not\s)?(?:(?:equal|set|changed)\sto\s|(?:one|any)\sof\s)?)"
    r"(?!(?-i:(?:not\s)?(?:empty|blank|set|known|unknown|missing|required))\s*(?:[.,;]|$))"
    r"\S.*$",
    re.IGNORECASE,
)
_INVALID = re.compile(
    r"\b((?:invalid|malformed|unknown|unrecogni[sz]ed)\s(?:(?!propert|field)[\w-]+\s){0,2}?"
    r"(?:e-?mail(?:\saddress)?|address|phone(?:\snumber)?|number|integer|long|date|time|timestamp"
    r"|boolean|option|url|domain|name))"
    r"(?::\s|\s(?!(?-i:for|in|on|of|at|or|and|format|given|provided)\b))\s*\S.*$",
    re.IGNORECASE,
)
_PARSED = re.compile(r"\b((?:pars|convert|cast|interpret)(?:e|ing)?\s)\S.*(\s(?:as|to|into)\s)")

_JUDGED = re.compile(
    r"^(?P<subject>.*\S)(?P<verdict>\s(?:(?:(?:is|was|are|were)(?:\snot|n['’]t)|cannot\sbe)\s"
    r"(?:one\sof|an?|valid|recogni[sz]ed|accepted|parsed|converted|allowed(?=\W*$|\s(?:for|as|in)\s))"
    r"|(?:is|was|are|were)\s(?:invalid|malformed|too\s\w+|longer|shorter|out\sof))\b.*)$"
)
_LABEL = re.compile(r"(\w+):\s")
_TOKEN = re.compile(r"[\w’'-]+")
_POINTS = frozenset(
    {"the", "this", "your", "property", "properties", "value", "values", "field", "fields", "email",
     "address", "phone", "request", "input", "body", "json", "token", "key", "filter", "filters",
     "option", "options", "scope", "scopes", "association", "associations"}
)  # fmt: skip
"""Words of which a subject that is HubSpot's own, and no value, has at least one."""

_OWN = _POINTS | frozenset(
    {"a", "an", "all", "some", "following", "object", "objects", "record", "records", "contact",
     "contacts", "company", "companies", "deal", "deals", "task", "tasks", "owner", "owners", "id",
     "ids", "type", "label", "number", "date", "time", "oauth", "api", "app", "access", "refresh",
     "client", "code", "account", "portal", "name", "named", "with", "and", "or", "of", "for", "in",
     "on", "provided", "given"}
)  # fmt: skip

_DIGITS = re.compile(r"(?<![\w-])\+?\(?\d(?:(?:\s?[-–/]\s?|\s?\(|\)\s?|\.|\s)?\d){6,}")
_ID_BEFORE = re.compile(
    r"(?:\b\w*(?:id|Id|ID)s?\b[\s:=#]*[\[({]?(?:\d+[,\s]+)*"
    r"|\b(?:record|object|contact|company|deal|task|portal|owner|account|on)\s)$"
)
_ID_AFTER = re.compile(r"\s(?:already\s)?has\s")


def discreet(
    message: str,
    names: Iterable[str] = (),
    values: Iterable[str] = (),
    ids: Collection[str] = (),
) -> str:
    """The message on one line, without values.

    `names` of properties stay, also quoted, and so do `ids` of records; `values` are known to be
    values, wherever they stand.
    """
    message = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    message = _OPTIONS.sub(r"\1", message)
    known = frozenset([*names, *_NAMED.findall(message)])
    fields = dict.fromkeys(known) | {f"={n}": one for n, one in enumerate(values)}
    message = without_values(message, fields)
    kept = frozenset(name.casefold() for name in known) | frozenset(ids)
    return " ".join(_bare(one, kept, ids) for one in _SENTENCE.split(message))


def _bare(sentence: str, kept: Collection[str], ids: Collection[str]) -> str:
    """One sentence without the values that stand in it unquoted."""
    sentence = "".join(_without_assigned(sentence))
    sentence = "".join(_without_called(sentence))
    sentence = _CONDITION.sub(rf"\1{GONE}", sentence)
    sentence = _INVALID.sub(rf"\1: {GONE}", sentence)
    sentence = _PARSED.sub(rf"\1{GONE}\2", sentence)
    sentence = _without_judged(sentence, kept)
    return _DIGITS.sub(lambda run: _number(run, ids), sentence)


def _without_assigned(sentence: str) -> Iterator[str]:
    """`name=…`: up to the next name, else the last bracket or verb, else to the end."""
    start, *pairs = _EQUALS.split(sentence)
    yield start
    for key, text in zip(pairs[::2], pairs[1::2], strict=True):
        yield key
        yield text if _is_safe(key.rstrip("= "), text) else GONE + text[_end_of(text, pairs) :]


def _is_safe(key: str, text: str) -> bool:
    if re.fullmatch(r"\w*[\[({]", text):
        return True  # the beginning of an object, of which the names follow
    value = _SAFE_VALUE.match(text)
    if value is None:
        return False
    return key.lower() in _SAFE_KEYS or (key.lower().endswith("id") and value.group().isdecimal())


def _end_of(text: str, pairs: list[str]) -> int:
    if text is not pairs[-1]:
        return len(text.rstrip("}]), ;"))
    ends = [found.start() for form in (_BRACKETS, _END) for found in form.finditer(text)]
    return max(ends, default=len(text))


def _without_called(sentence: str) -> Iterator[str]:
    """`value …`, `contact named …`: up to the last verb, else to the end."""
    at = 0
    while found := _VALUE.search(sentence, at):
        yield sentence[at : found.end()] + GONE
        ends = list(_END.finditer(sentence, found.end()))
        at = ends[-1].start() if ends else len(sentence)
    yield sentence[at:]


def _without_judged(sentence: str, kept: Collection[str]) -> str:
    """`… is not a valid date`: HubSpot says either what is not, or which value."""
    judged = _JUDGED.match(sentence)
    if judged is None:
        return sentence
    label, subject = "", judged["subject"]
    found = _LABEL.match(subject)
    if found and ("_" in found[1] or found[1].casefold() in kept):
        label, subject = found.group(), subject[found.end() :]
    tokens = [token.casefold() for token in _TOKEN.findall(subject)]
    strange = [one for one in tokens if one not in _OWN and one not in kept and not _is_few(one)]
    if strange or not any(one in _POINTS or one in kept for one in tokens):
        subject = "the value"
    return label + subject + judged["verdict"]


def _is_few(token: str) -> bool:
    return token.isdecimal() and len(token) < 4


def _number(run: re.Match[str], ids: Collection[str]) -> str:
    """A run of digits, if it is the id of a record; else it may be somebody's phone number."""
    text, message = run.group(), run.string
    if text in ids:
        return text
    if not text.isdecimal() or text.startswith("0"):
        return GONE
    placed = _ID_BEFORE.search(message[: run.start()]) or _ID_AFTER.match(message, run.end())
    return text if placed else GONE
