"""What people write in the place of a job: patterns over folded titles.

Anchored where a word also occurs in real titles: `retraite` is what a pension adviser sells, and
there are directors of student affairs. What is taken for a pause by mistake is never written.
"""

from __future__ import annotations

_E = "( ?e)?( ?s)?"  # retraite, retraitee, and "retraite e" from the inclusive "retraité(e)"
_AFTER = r"\b.*"

_RETIRED = (
    r"^((newly|recently|happily|semi|now|early) )?(retired|retiree)\b",
    r"\bretired$",
    r"^in retirement$",
    rf"^(jeune |nouve\w+ )?(pre)?retraite{_E}( (de|du|des|depuis|acti\w+|heureu\w+){_AFTER})?$",
    r"^(en|a la) (pre)?retraite\b",
    r"\b(en|a la) (pre)?retraite$",
)
_STUDYING = (
    rf"^(\w+ ){{0,4}}students?( (at|in|of|from){_AFTER})?$",
    rf"^etudiant{_E}( (a|au|aux|chez|de|du|des|en|ingenieur|master|bts|sciences){_AFTER})?$",
    r"^eleve (ingenieure?|avocate?|a|au|de|en)\b",
    r"^(\w+ ){0,3}(e?mba|ph ?d|doctoral|masters?|msc|jd|llm) (candidate|student)\b",
    rf"^doctorant{_E}\b",
)
_SEARCHING = (
    r"\bopen to (work|new (opportunities|roles|challenges)|opportunities)\b",
    r"\bbetween (jobs|roles|positions|opportunities)\b",
    r"^((actively|currently) )*(looking|searching) for\b",
    r"^((actively|currently) )*seeking\b",
    r"^job (seeker|seeking|hunting|hunter)$",
    r"^(currently )?(unemployed|not (currently )?(employed|working))\b",
    rf"^(currently |immediately )?available( (now|immediately|for){_AFTER})?$",
    rf"^demandeu(r|se){_E} d ?emplois?$",
    r"^((actuellement|active?ment) )*(en|a la) recherche\b",
    r"^recherche (active|(active )?(d ?|de |du |un |une )*(emploi|poste|travail|opportunites?))\b",
    r"^a l ?ecoute\b",
    r"^en (transition|reconversion)\b",
    r"^sans (emploi|activite)\b",
    rf"^(immediatement )?disponible( (immediatement|pour){_AFTER})?$",
)
_BREAKS = (
    rf"^((on|taking|in) )?(an? )?(\w+ )?(career break|gap year)( (at|for|from|to|after){_AFTER})?$",
    r"^(une |en )?(annee|pause|break) (sabbatique|professionnelle?|de carriere|carriere)$",
)
_AWAY = "maternity|paternity|parental|family|medical|sick|adoption|garden|gardening"
_LEAVES = (
    rf"^(on )?(an? )?(({_AWAY}) )?leave( (at|from|of absence){_AFTER})?$",
    rf"^((on|taking) )?(an? )?sabbatical( (leave|year))?( (at|from){_AFTER})?$",
    r"^(en )?conges? (parental|maternite|paternite|sabbatique|sans solde|maladie|d ?adoption)\b",
)


def _any(patterns: tuple[str, ...]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


LEAVE_PATTERN = _any(_LEAVES)
"""Away for a time: still employed, if it stands at an employer."""

PAUSE_PATTERN = _any((*_RETIRED, *_STUDYING, *_SEARCHING, *_BREAKS))

NOT_A_PAUSE_PATTERN = r"\b(working students?|cifre)\b"
"""Studies that an employer pays for."""

PAUSE_EMPLOYER_PATTERN = (
    rf"retired|retirement|(en |a la )?retraite{_E}|unemployed|unemployment|career break|sabbatical"
    r"|(parental|maternity) leave|between (jobs|roles)|open to work|job seeker"
    r"|(seeking|looking for) (work|a job|employment|(new )?opportunities)"
    rf"|demandeu(r|se){_E} d ?emplois?|(en )?recherche d ?emploi|sans emploi"
)
"""The same where the employer's name should stand; whole names only, since companies have such
words in theirs."""
