"""What people write in the place of a job: patterns over folded titles.

Anchored where a word also occurs in real titles: `retraite` is what a pension adviser sells, and
there are directors of student affairs. What is taken for a pause by mistake is never written.
"""

from __future__ import annotations

_E = "( ?e)?( ?s)?"  # retraite, retraitee, and "retraite e" from the inclusive "retraité(e)"
_AFTER = r"\b.*"
_KINDS = "((executive|global|full time|part time|online|international) )*"
_DEGREES = "e?mba|ph ?d|dphil|mphil|doctorate?|msc|bsc|llm"
_OF_A_DEGREE = "at|a|in|en|of|class|degree|promotion|thesis"

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
    r"^eleves?( (ingenieure?|avocate?|a|au|de|en)\b.*)?$",
    r"^(\w+ ){0,3}(e?mba|ph ?d|doctoral|masters?|msc|jd|llm) (candidate|student)\b",
    rf"^doctorant{_E}\b",
    rf"^{_KINDS}({_DEGREES})( ({_OF_A_DEGREE}){_AFTER}|( \d+)+)?$",
    r"^(msc|bsc|mphil)( \w+){1,3}$",
    r"^executive education( program(me)?)?$",
    rf"^{_KINDS}(master|mastere specialise) [12s]\b.*$|^m[12] (\w+ ){{0,2}}\w+$",
    rf"^{_KINDS}(masters?|masteres?( specialise)?|bachelors?|licence)( (degree|in|en)\b.*)?$",
    r"^(masters?|bachelors?) of (science|arts|business|law|laws|engineering|public|philosophy)\b",
    rf"^apprenant{_E}( (a|au|chez|de|en){_AFTER})?$",
    rf"^((proud|mba|former) )?alum(na|nus|ni|nae)( (a|at|de|of){_AFTER})?$",
    r"^(\w+ ){1,4}(participant|bootcamp)e?s?$|^(participant|bootcamp|learner)$",
)
_NOT_NOW = (
    r"^(former|formerly|previously|ex|ancien(ne)?) \w",
    r"^incoming \w",
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
    # after the title of the job: "Sales Director (on maternity leave)"
    rf"\bon (an? )?(({_AWAY}) )?(leave|sabbatical)$",
    r"\ben conges? (parental|maternite|paternite|sabbatique|sans solde|maladie|d ?adoption)$",
)


def _any(patterns: tuple[str, ...]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


LEAVE_PATTERN = _any(_LEAVES)
"""Away for a time: still employed, if it stands at an employer."""

PAUSE_PATTERN = _any((*_RETIRED, *_STUDYING, *_SEARCHING, *_BREAKS, *_NOT_NOW))
"""Also a role that is over or has yet to begin, though its dates do not say so."""

NOT_A_PAUSE_PATTERN = (
    r"\b(working students?|cifre)\b"
    r"|^(msc|bsc|mphil) .*\b(director|manager|coordinator|head|lead|officer|lecturer|tutor)$"
    r"|^incoming (goods|calls?|materials?|quality|inspection|freight|mail|orders?|tour\w*)\b"
)
"""Studies that an employer pays for, and what comes in at a dock."""

PAUSE_EMPLOYER_PATTERN = (
    rf"retired|retirement|(en |a la )?retraite{_E}|unemployed|unemployment|career break|sabbatical"
    r"|(parental|maternity) leave|between (jobs|roles)|open to work|job seeker"
    r"|(seeking|looking for) (work|a job|employment|(new )?opportunities)"
    rf"|demandeu(r|se){_E} d ?emplois?|(en )?recherche d ?emploi|sans emploi"
)
"""The same where the employer's name should stand; whole names only, since companies have such
words in theirs."""
