"""Addresses and numbers: which mailboxes, domains and hosts belong to nobody, and how countries
write their telephone numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm_sync.normalise.text import each, phrases

ROLE_MAILBOXES: Sequence[str] = each(
    """
    info infos information contact contacts contactus hello bonjour sales sale vente ventes admin
    administration administrator office support accueil direction commercial commerciale compta
    comptabilite rh hr jobs careers recrutement noreply no-reply do-not-reply webmaster hostmaster
    team press presse marketing service services help helpdesk billing accounts invoices invoicing
    facturation secretariat mail email e-mail postmaster enquiries enquiry inquiries reception
    bookings reservations orders commandes achats purchasing privacy rgpd dpo legal communication
    """
)

_FREE_MAIL_EVERYWHERE = each("yahoo hotmail live outlook gmx msn ymail")
_COUNTRIES = each(
    """
    com net fr de be ch at it es pt nl pl se dk no fi ie gr cz hu ro ru ca in jp cn com.au com.br
    com.mx com.ar com.tr com.hk com.sg com.ph com.my co.uk co.in co.jp co.nz co.za co.id co.th
    """
)

FREE_MAIL_DOMAINS: Sequence[str] = (
    *(f"{name}.{country}" for name in _FREE_MAIL_EVERYWHERE for country in _COUNTRIES),
    *each(
        """
        gmail.com googlemail.com rocketmail.com aol.com aol.fr aim.com icloud.com me.com mac.com
        proton.me protonmail.com protonmail.ch pm.me web.de mail.com email.com zoho.com zohomail.com
        fastmail.com fastmail.fm hey.com duck.com tutanota.com tutanota.de tuta.io yandex.com
        yandex.ru mail.ru bk.ru inbox.ru list.ru rambler.ru ukr.net qq.com 163.com 126.com sina.com
        foxmail.com naver.com hanmail.net daum.net rediffmail.com mailo.com
        orange.fr wanadoo.fr free.fr sfr.fr neuf.fr 9online.fr 9business.fr bbox.fr laposte.net
        numericable.fr numericable.com cegetel.net club-internet.fr aliceadsl.fr alice.fr noos.fr
        voila.fr dbmail.com caramail.com libertysurf.fr infonie.fr nordnet.fr gadz.org ozone.net
        orange.com.gp mediaserv.net ool.fr only.fr izi.re zeop.re
        comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net
        earthlink.net optonline.net juno.com netzero.net frontiernet.net windstream.net
        btinternet.com btopenworld.com sky.com virginmedia.com ntlworld.com talktalk.net
        blueyonder.co.uk o2.co.uk tiscali.co.uk
        t-online.de freenet.de arcor.de online.de posteo.de mailbox.org
        libero.it tiscali.it virgilio.it alice.it tin.it
        telenet.be skynet.be proximus.be scarlet.be voo.be pandora.be
        bluewin.ch sunrise.ch hispeed.ch pt.lu vo.lu internet.lu
        ziggo.nl kpnmail.nl planet.nl home.nl xs4all.nl telefonica.net sapo.pt
        sympatico.ca rogers.com shaw.ca videotron.ca telus.net bell.net
        """
    ),
)
"""Domains where anybody may have an address: a person's own, and no company's."""

SHARED_HOSTS: Sequence[str] = each(
    """
    linkedin.com facebook.com twitter.com x.com instagram.com youtube.com tiktok.com google.com
    crunchbase.com wikipedia.org github.com gitlab.com medium.com linktr.ee xing.com viadeo.com
    pagesjaunes.fr societe.com doctolib.fr malt.fr malt.com pinterest.com vimeo.com t.me wa.me
    welcometothejungle.com welcometothejungle.co wttj.co indeed.com indeed.fr glassdoor.com
    glassdoor.fr monster.com monster.fr apec.fr hellowork.com meteojob.com jobteaser.com
    stepstone.de wellfound.com angel.co bloomberg.com dnb.com zoominfo.com rocketreach.co
    pitchbook.com owler.com opencorporates.com pappers.fr verif.com infogreffe.fr kompass.com
    europages.com europages.fr yellowpages.com yelp.com yelp.fr tripadvisor.com tripadvisor.fr
    trustpilot.com g2.com capterra.com producthunt.com helloasso.com assoconnect.com
    wixsite.com wordpress.com blogspot.com weebly.com squarespace.com webflow.io notion.site
    business.site godaddysites.com jimdofree.com
    """
)
"""Sites on which many companies have a page: no company's own address, save their owner's."""


@dataclass(frozen=True)
class Numbering:
    """How one country's numbers are written there: `national` as typed, of which `trunk` goes.

    `whole` is such a number with the code, but without the plus: by default any.
    """

    countries: Sequence[str]
    code: str
    national: str
    trunk: str = "0"
    mobile: str = ""
    whole: str = ""

    @property
    def with_code(self) -> str:
        """The pattern of a number that lacks nothing but the plus."""
        return self.whole or f"{self.code}[1-9][0-9]{{7,11}}"


NUMBERINGS: Sequence[Numbering] = (
    Numbering(
        phrases(
            "france, fr, fra, french republic, republique francaise, monaco, reunion, la reunion, "
            "guadeloupe, martinique, guyane, guyane francaise, french guiana, mayotte, re, gp, mq, "
            "gf, yt, saint martin, saint barthelemy"
        ),
        "33",
        "0?[1-9][0-9]{8}",
        mobile="[67]",
        whole="33[1-9][0-9]{8}|(262|590|594|596)[1-9][0-9]{8}",
    ),
    Numbering(
        phrases(
            "united kingdom, uk, gb, gbr, great britain, england, scotland, wales, "
            "northern ireland, royaume uni, angleterre"
        ),
        "44",
        "0[1-9][0-9]{8,9}|7[1-9][0-9]{8}",
        mobile="7",
    ),
    Numbering(
        phrases("belgium, be, bel, belgique, belgie, belgien"),
        "32",
        "0[1-9][0-9]{7}|0?4[5-9][0-9]{7}",
        mobile="4[5-9]",
    ),
    Numbering(
        phrases("switzerland, ch, che, suisse, schweiz, svizzera, swiss"),
        "41",
        "0?[1-9][0-9]{8}",
        mobile="7[4-9]",
    ),
    Numbering(
        phrases("luxembourg, lu, lux, luxemburg, letzebuerg"),
        "352",
        "[2-9][0-9]{4,8}",
        trunk="",
        mobile="6[0-9]{8}",
    ),
    Numbering(
        phrases("germany, de, deu, deutschland, allemagne"),
        "49",
        "0[1-9][0-9]{5,11}",
        mobile="1[5-7]",
    ),
    Numbering(
        phrases("netherlands, nl, nld, nederland, the netherlands, pays bas, holland"),
        "31",
        "0[1-9][0-9]{8}",
        mobile="6",
    ),
    Numbering(phrases("spain, es, esp, espana, espagne"), "34", "[6-9][0-9]{8}", "", mobile="[67]"),
    Numbering(
        phrases("italy, it, ita, italia, italie"),
        "39",
        "0[0-9]{5,10}|3[0-9]{8,9}",
        trunk="",
        mobile="3",
        whole="39[03][0-9]{5,10}",
    ),
    Numbering(
        phrases(
            "united states, us, usa, united states of america, etats unis, canada, ca, can, "
            "puerto rico"
        ),
        "1",
        "1?[2-9][0-9]{2}[2-9][0-9]{6}",
        trunk="1",
    ),
)
"""What is typed without a country's code is read by the country that stands beside it."""

UNPLACED_NUMBERINGS: Mapping[str, str] = {
    "33": "0[1-9][0-9]{8}|33[1-9][0-9]{8}",
    "1": "1?[2-9][0-9]{2}[2-9][0-9]{6}",
    "44": "447[1-9][0-9]{8}",
}
"""What is taken for such a number where no country is known: ten digits after a zero are French,
ten without are North American."""

OVERSEAS_NUMBERS: Mapping[str, str] = {
    "262": "262|263|269|639|692|693",
    "590": "590|690|691",
    "594": "594|694",
    "596": "596|696|697",
}
"""The overseas departments are dialled as French numbers and have country codes of their own."""

TRUNK_AFTER_CODE = "33|44|32|41|49|31|43|46|61|262|590|594|596"
"""Countries whose numbers begin with a zero only at home: `+33 06…` has one too many."""

MOBILE_NUMBERS = (
    "^("
    + "|".join(f"{some.code}{some.mobile}" for some in NUMBERINGS if some.mobile)
    + "|262(639|692|693)|590(690|691)|594694|596(696|697))"
)
"""Keys of numbers that are one person's; North American ones do not tell."""

TELLING_NUMBERS = (
    "^(" + "|".join(some.code for some in NUMBERINGS if some.mobile) + "|262|590|594|596)"
)
"""Keys of countries whose numbers tell mobiles from fixed lines."""

EXTENSION = r"[ ,;]*(x|ext\.?|;ext=|extension|poste|#)[ .:]*[0-9]+$"
"""What follows a number in an office, in lower case."""

LINKEDIN_PAGE = (
    r"(?:linkedin\.(?:com|cn)/+(?:mwlite/|m/|comm/|#!/)?(?:in|sales/lead|sales/people)/|^/?in/)"
    r"([^/?#, \t\n\r\f;)>\"']+)"
)
LINKEDIN_OLD_PAGE = (
    r"linkedin\.(?:com|cn)/+pub/([^/?# ]+)/([0-9a-f]{1,3})/([0-9a-f]{1,3})/([0-9a-f]{1,3})"
)
"""`/pub/jane-roe/1/2a3/4b5` of earlier years is `/in/jane-roe-4b52a31` today."""

LINKEDIN_OPAQUE_SLUG = "^ac[ow]a[a-z0-9_-]{20,}$"
"""Ids that LinkedIn itself makes up (`ACo…` on pages, `ACw…` in Sales Navigator)."""
