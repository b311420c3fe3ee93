-- The one definition of what makes two spellings the same, for every row of every side.
-- Text in, text out; null and blank in, null out. Word lists are variables set beforehand
-- (crm_sync/matching/words.py), so that they are written once.

-- Lower case, no accents, no ligatures, punctuation as single blanks. Initials lose their dots
-- ("U.S." is "us"), apostrophes vanish ("O'Brien" is "obrien"), "&" is "and".
CREATE OR REPLACE MACRO plain_letters(t) AS
    strip_accents(
        replace(replace(replace(replace(replace(replace(replace(replace(
            lower(nfc_normalize(replace(t, chr(0), ' '))),  -- DuckDB's own ends a text at a NUL
            'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'), 'ø', 'o'), 'ł', 'l'), 'đ', 'd'), 'þ', 'th'), 'ı', 'i'));

CREATE OR REPLACE MACRO fold(t) AS
    nullif(trim(regexp_replace(
        replace(
            regexp_replace(
                regexp_replace(plain_letters(t), '[''’‘ʼ`´]', '', 'g'),
                '\b(\pL)\.', '\1', 'g'),
            '&', ' and '),
        '[^\pL\pN+#]+', ' ', 'g')), '');

CREATE OR REPLACE MACRO squash(t) AS nullif(replace(t, ' ', ''), '');

CREATE OR REPLACE MACRO words(t) AS
    list_filter(string_split(t, ' '), lambda w: w <> '');

-- Companies: no article before, no legal form before or after. A name that is nothing but a legal
-- form stays as it is. The forms stand in crm_sync/names.py, with the same rule for a single name.
CREATE OR REPLACE MACRO company_words(t) AS
    coalesce(
        nullif(trim(regexp_replace(
            regexp_replace(
                regexp_replace(fold(t), '^the ', ''),
                getvariable('legal_form_before'), ''),
            getvariable('legal_form_after'), '')), ''),
        fold(t));

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
        '^(?:[a-z]+:)?(?://)?(?:[^/@\s]*@)?(?:www\d?\.)?((?:[\pL\pN_-]+\.)+[\pL\pN-]{2,})\.?(?:[:/?#].*)?$',
        1), '');

-- E-mail: lower case, without a "+tag"; Google's mail ignores dots.
CREATE OR REPLACE MACRO email_parts(t) AS
    regexp_extract(
        lower(trim(regexp_replace(t, '(?i)^\s*mailto:', ''))),
        '^([^@\s+"<>,;]+)(?:\+[^@\s]*)?@((?:[\pL\pN_-]+\.)+[\pL\pN-]{2,})$',
        ['local', 'domain']);

CREATE OR REPLACE MACRO email_key_of(p) AS
    CASE
        WHEN p.local = '' OR p.local IS NULL THEN NULL
        WHEN list_contains(getvariable('role_mailboxes'), p.local) THEN NULL
        WHEN p.domain IN ('gmail.com', 'googlemail.com')
            THEN replace(p.local, '.', '') || '@gmail.com'
        ELSE p.local || '@' || p.domain
    END;

CREATE OR REPLACE MACRO email_key(t) AS email_key_of(email_parts(t));

-- The same for the many addresses of a source, of which only wanted ones matter: what is no
-- address, or nobody's own, is simply wanted by no contact.
CREATE OR REPLACE MACRO google_without_dots(address) AS
    CASE
        WHEN ends_with(address, '@gmail.com') OR ends_with(address, '@googlemail.com')
            THEN replace(split_part(address, '@', 1), '.', '') || '@gmail.com'
        ELSE address
    END;

CREATE OR REPLACE MACRO address_key(t) AS
    google_without_dots(regexp_replace(lower(trim(t)), '^(?:mailto:)?([^@+]+)(?:\+[^@]*)?@', '\1@'));

CREATE OR REPLACE MACRO is_free_mail(domain) AS
    list_contains(getvariable('free_mail_domains'), domain);

-- Telephone: digits with the country's code. Ten digits after a zero are French unless the country
-- says otherwise, ten digits without are North American; anything else without a code is no key.
CREATE OR REPLACE MACRO phone_digits(t) AS
    regexp_replace(
        regexp_replace(
            regexp_replace(lower(trim(t)), '(x|ext\.?|poste)\s*\d+$', ''),
            '\(0\)', ''),
        '^(\+|00)', 'c');

CREATE OR REPLACE MACRO phone_key_of(d, country) AS
    CASE
        WHEN regexp_full_match(d, 'c\d{8,15}') THEN
            CASE WHEN regexp_full_match(d, 'c330\d{9}') THEN '33' || d[5:] ELSE d[2:] END
        WHEN regexp_full_match(d, '0[1-9]\d{8}')
            AND coalesce(fold(country), 'france') IN ('france', 'fr', 'fra') THEN '33' || d[2:]
        WHEN regexp_full_match(d, '33[1-9]\d{8}') THEN d
        WHEN regexp_full_match(d, '0\d{9,10}')
            AND fold(country) IN ('united kingdom', 'uk', 'gb', 'great britain') THEN '44' || d[2:]
        WHEN regexp_full_match(d, '[2-9]\d{9}') THEN '1' || d
        WHEN regexp_full_match(d, '1[2-9]\d{9}') THEN d
    END;

CREATE OR REPLACE MACRO phone_key(t, country) AS
    phone_key_of(regexp_replace(phone_digits(t), '[^\dc]', '', 'g'), country);

CREATE OR REPLACE MACRO is_mobile_number(key) AS regexp_matches(key, '^(33[67]|447)');

-- LinkedIn: the slug of a person's page, whatever the country's host, case or percent signs.
CREATE OR REPLACE MACRO linkedin_slug(t) AS
    nullif(lower(nfc_normalize(coalesce(
        try(url_decode(regexp_extract(trim(t), '(?i)(?:linkedin\.com/(?:mwlite/|m/)?|^/?)in/([^/?#\s]+)', 1))),
        ''))), '');

-- Ids that LinkedIn itself makes up name the same pages as the readable slugs: not comparable.
CREATE OR REPLACE MACRO is_opaque_slug(slug) AS regexp_matches(slug, '^aco[a-z0-9_-]{20,}$');

CREATE OR REPLACE MACRO city_key(t) AS
    squash(regexp_replace(regexp_replace(fold(t), '\bste?\b', 'saint', 'g'), ' (cedex|\d).*$', ''));

-- Titles: a bag of words, so that order, punctuation, language and gender do not matter.
CREATE OR REPLACE MACRO title_stem(w) AS
    CASE WHEN length(w) < 4 THEN w WHEN starts_with(w, 'cheffe') THEN 'chef' ELSE regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        regexp_replace(regexp_replace(w, 's$', ''), 'trice$', 'teur'), 'euse$', 'eur'), 'ienne$', 'ien'),
        'ive$', 'if'), 'e+$', '') END;

CREATE OR REPLACE MACRO title_words(t) AS
    list_transform(
        list_filter(
            words(fold(regexp_replace(
                regexp_replace(replace(t, '’', ''''), '(?i)(^|[\s(])(l|d|qu)''', '\1', 'g'),
                '(?i)\bR ?& ?D\b', 'RD', 'g'))),
            lambda w: NOT list_contains(getvariable('title_fillers'), w)),
        lambda w: title_stem(w));

-- The letters of a title in alphabetical order: equal when two letters were swapped in typing.
CREATE OR REPLACE MACRO title_letters(t) AS
    array_to_string(list_sort(string_split(squash(fold(t)), '')), '');

-- Seats that people hold beside their job: taking or leaving one is not changing job.
CREATE OR REPLACE MACRO is_seat(t) AS
    coalesce(
        regexp_matches(fold(t), getvariable('seat_pattern'))
        AND NOT regexp_matches(fold(t), getvariable('not_a_seat_pattern')),
        FALSE);

-- What people write where others have a job: retirement, studies, leave, a search for work.
CREATE OR REPLACE MACRO is_pause(t) AS
    coalesce(
        regexp_matches(fold(t), getvariable('pause_pattern'))
        AND NOT regexp_matches(fold(t), getvariable('not_a_pause_pattern')),
        FALSE);

CREATE OR REPLACE MACRO is_leave(t) AS
    coalesce(regexp_matches(fold(t), getvariable('leave_pattern')), FALSE);

CREATE OR REPLACE MACRO is_pause_employer(t) AS
    coalesce(regexp_full_match(fold(t), getvariable('pause_employer_pattern')), FALSE);

-- titled(rel): every distinct title of `rel` (a column `title`) with what it is compared by.
-- In steps, because the planner takes a nest of list functions apart again at every level.
CREATE OR REPLACE MACRO titled(rel) AS TABLE
    WITH stemmed AS (
        SELECT DISTINCT title, ' ' || array_to_string(title_words(title), '  ') || ' ' AS stems
        FROM query_table(rel)
        WHERE title IS NOT NULL
    ),
    phrased AS (
        SELECT title, string_split(trim(regexp_replace(title_phrases(stems), ' +', ' ', 'g')), ' ') AS parts
        FROM stemmed
    ),
    translated AS (
        SELECT title, array_to_string(list_transform(
            parts, lambda w: coalesce(getvariable('title_synonyms')[w], w)), ' ') AS keys
        FROM phrased
    )
    SELECT
        title,
        nullif(array_to_string(list_sort(list_distinct(string_split(keys, ' '))), ' '), '') AS title_key,
        title_letters(title) AS title_letters,
        is_seat(title) AS is_seat,
        is_pause(title) OR is_leave(title) AS is_pause,
        is_leave(title) AS is_leave
    FROM translated;
