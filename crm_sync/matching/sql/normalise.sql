-- The one definition of what makes two spellings the same, for every row of every side.
-- Text in, text out; null and blank in, null out. Word lists and patterns are variables set
-- beforehand, from crm_sync/normalise/, which does the same for single values.

-- Lower case, no accents, no ligatures, punctuation as single blanks. Initials lose their dots
-- ("U.S." is "us"), apostrophes vanish ("O'Brien" is "obrien"), "&" is "and".
CREATE OR REPLACE MACRO plain_letters(t) AS
    CASE
        WHEN strlen(t) = length(t) THEN lower(replace(t, chr(0), ' '))
        ELSE strip_accents(
            replace(replace(replace(replace(replace(replace(replace(replace(
                lower(nfc_normalize(replace(t, chr(0), ' '))),  -- DuckDB's own ends a text at a NUL
                'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'), 'ø', 'o'), 'ł', 'l'), 'đ', 'd'), 'þ', 'th'), 'ı', 'i'))
    END;

CREATE OR REPLACE MACRO folded(t) AS
    nullif(trim(regexp_replace(
        replace(
            regexp_replace(
                regexp_replace(plain_letters(t), '[''’‘ʼ`´]', '', 'g'),
                '\b(\pL)\.', '\1', 'g'),
            '&', ' and '),
        '[^\pL\pN+#]+', ' ', 'g')), '');

-- Most texts are plain words: nothing to do but the case.
CREATE OR REPLACE MACRO fold(t) AS
    CASE WHEN regexp_full_match(t, '[A-Za-z0-9]+(?: [A-Za-z0-9]+)*') THEN lower(t) ELSE folded(t) END;

CREATE OR REPLACE MACRO squash(t) AS nullif(replace(t, ' ', ''), '');

CREATE OR REPLACE MACRO words(t) AS
    list_filter(string_split(t, ' '), lambda w: w <> '');

-- Companies: no other names, no article before, no legal form before or after. A name that is
-- nothing but a legal form stays as it is.
CREATE OR REPLACE MACRO without_former_name(t) AS
    regexp_replace(lower(replace(t, chr(0), ' ')), getvariable('former_name'), '');

CREATE OR REPLACE MACRO company_words_of(folded) AS
    coalesce(
        nullif(trim(regexp_replace(
            regexp_replace(company_synonyms(folded), getvariable('legal_form_before'), ''),
            getvariable('legal_form_after'), '')), ''),
        folded);

-- A lambda over one value computes it once, where a macro would repeat it.
CREATE OR REPLACE MACRO company_words(t) AS
    list_transform(
        [coalesce(fold(without_former_name(t)), fold(t))], lambda f: company_words_of(f))[1];

CREATE OR REPLACE MACRO company_key(t) AS squash(company_words(t));

-- The words that tell companies apart, for "is this the same group under another name?".
CREATE OR REPLACE MACRO company_marks(t) AS
    list_filter(
        words(company_words(t)),
        lambda w: length(w) >= 3 AND NOT list_contains(getvariable('generic_company_words'), w));

-- The host of an address, a web page or an e-mail address, as typed.
CREATE OR REPLACE MACRO host(t) AS
    nullif(regexp_extract(
        lower(trim(t)),
        '(?s)^(?:[a-z]+:)?(?://)?(?:[^/@ \t\n\r\f]*@)?(?:www[0-9]?\.)?((?:[\pL\pN_-]+\.)+[\pL\pN-]{2,})\.?(?:[:/?#].*)?$',
        1), '');

-- E-mail: lower case, without a "+tag"; Google's mail ignores dots.
CREATE OR REPLACE MACRO mail_text(t) AS
    trim(regexp_extract(
        lower(trim(CASE WHEN regexp_matches(t, '<[^<>]*@[^<>]*>')
            THEN regexp_extract(t, '<([^<>]*@[^<>]*)>', 1) ELSE t END)),
        '^(?:mailto:)?([^?]*)', 1), ' .;,');

CREATE OR REPLACE MACRO email_parts(t) AS
    regexp_extract(
        mail_text(t),
        '^([^@ \t\n\r\f+"<>,;]+)(?:\+[^@ \t\n\r\f]*)?@((?:[\pL\pN_-]+\.)+[\pL\pN-]{2,})$',
        ['local', 'domain']);

CREATE OR REPLACE MACRO email_key_of(p) AS
    CASE
        WHEN p.local = '' OR p.local IS NULL THEN NULL
        WHEN list_contains(getvariable('role_mailboxes'), p.local) THEN NULL
        WHEN p.domain IN ('gmail.com', 'googlemail.com')
            THEN replace(p.local, '.', '') || '@gmail.com'
        ELSE p.local || '@' || p.domain
    END;

CREATE OR REPLACE MACRO email_key(t) AS
    list_transform([email_parts(t)], lambda p: email_key_of(p))[1];

-- The same for the many addresses of a source, of which only wanted ones matter: what is no
-- address, or nobody's own, is simply wanted by no contact.
CREATE OR REPLACE MACRO google_without_dots(address) AS
    CASE
        WHEN ends_with(address, '@gmail.com') OR ends_with(address, '@googlemail.com')
            THEN replace(split_part(address, '@', 1), '.', '') || '@gmail.com'
        ELSE address
    END;

CREATE OR REPLACE MACRO address_key(t) AS
    google_without_dots(regexp_replace(
        CASE WHEN regexp_matches(t, '[<?]|[;,. ]$|^[^@]*[: ]') THEN mail_text(t) ELSE lower(t) END,
        '^([^@+]+)\+[^@]*@', '\1@'));

CREATE OR REPLACE MACRO is_free_mail(domain) AS
    regexp_full_match(domain, getvariable('free_mail_pattern'));

-- Telephone: digits with the country's code. `national_phone` reads what is typed without one.
-- A lambda over one value computes it once, where a macro would repeat it.
CREATE OR REPLACE MACRO dialled(t) AS
    regexp_replace(
        regexp_replace(
            replace(regexp_replace(lower(trim(t)), getvariable('phone_extension'), ''), '(0)', ''),
            '[^0-9+]', '', 'g'),
        '^00', '+');

CREATE OR REPLACE MACRO international_phone(d) AS
    CASE WHEN regexp_full_match(d, '\+[0-9]{8,15}')
        THEN regexp_replace(d[2:], getvariable('phone_trunk'), '\1') END;

CREATE OR REPLACE MACRO calling_code(country) AS
    CASE WHEN fold(country) IS NULL THEN ''
        ELSE coalesce(getvariable('calling_codes')[fold(country)], 'unknown') END;

CREATE OR REPLACE MACRO phone_key_of(d, country) AS
    CASE WHEN starts_with(d, '+') THEN international_phone(d)
        ELSE list_transform([calling_code(country)], lambda c: national_phone(d, c))[1] END;

CREATE OR REPLACE MACRO phone_key(t, country) AS
    list_transform(
        list_transform([dialled(t)], lambda d: phone_key_of(d, country)),
        lambda key: overseas_phone(key))[1];

CREATE OR REPLACE MACRO is_mobile_number(key) AS
    regexp_matches(key, getvariable('mobile_numbers'));

CREATE OR REPLACE MACRO is_fixed_line(key) AS
    coalesce(regexp_matches(key, getvariable('telling_numbers')), FALSE) AND NOT is_mobile_number(key);

-- LinkedIn: the slug of a person's page, whatever the country's host, case, language or percent
-- signs.
CREATE OR REPLACE MACRO decoded(slug) AS
    nullif(lower(nfc_normalize(replace(
        CASE WHEN contains(slug, '%') THEN try(url_decode(try(url_decode(slug)))) ELSE slug END,
        chr(0), ''))), '');

CREATE OR REPLACE MACRO old_linkedin_slug(p) AS
    p.slug || '-' || lpad(p.c, 3, '0') || lpad(p.b, 3, '0') || p.a;

CREATE OR REPLACE MACRO linkedin_slug(t) AS
    decoded(CASE
        WHEN regexp_matches(lower(trim(t)), getvariable('linkedin_old_page'))
            THEN old_linkedin_slug(regexp_extract(
                lower(trim(t)), getvariable('linkedin_old_page'), ['slug', 'a', 'b', 'c']))
        ELSE regexp_extract(lower(trim(t)), getvariable('linkedin_page'), 1)
    END);

-- Ids that LinkedIn itself makes up name the same pages as the readable slugs: not comparable.
CREATE OR REPLACE MACRO is_opaque_slug(slug) AS
    regexp_matches(slug, getvariable('linkedin_opaque_slug'));

CREATE OR REPLACE MACRO city_key(t) AS
    squash(regexp_replace(regexp_replace(fold(t), '\bste?\b', 'saint', 'g'), ' (cedex|\d).*$', ''));
