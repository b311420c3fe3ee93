-- What the sources stage for the judgement.

-- A person of a source; as_of null when nobody says as of when it speaks. is_dated_itself: the record
-- says so, not the delivery as a whole.
CREATE OR REPLACE TEMP TABLE profile (
    source VARCHAR, profile_id VARCHAR,
    full_name VARCHAR, first_name VARCHAR, last_name VARCHAR,
    emails VARCHAR[], linkedin_urls VARCHAR[], phones VARCHAR[],
    city VARCHAR, country VARCHAR, as_of DATE, is_dated_itself BOOLEAN
);

-- Its employments. `ending` is open (no end), dated, undated (over, nobody says when) or unclear
-- (an end that cannot be read). Dates known to the month or year stand at its first day.
CREATE OR REPLACE TEMP TABLE employment (
    source VARCHAR, profile_id VARCHAR, position INTEGER,
    organisation VARCHAR, domain VARCHAR, organisation_id VARCHAR, title VARCHAR,
    start_on DATE, start_precision VARCHAR, end_on DATE, end_precision VARCHAR,
    ending VARCHAR, is_primary BOOLEAN
);

-- The wanted keys that a profile has.
CREATE OR REPLACE TEMP TABLE hit (source VARCHAR, profile_id VARCHAR, key VARCHAR);

-- How many wanted keys were left out because many profiles hold them.
CREATE OR REPLACE TEMP TABLE crowded_block (source VARCHAR, keys BIGINT);

CREATE OR REPLACE MACRO partial_date(t) AS
    CASE
        WHEN regexp_full_match(t, '(19|20)\d\d') THEN TRY_CAST(t || '-01-01' AS DATE)
        WHEN regexp_full_match(t, '(19|20)\d\d-\d{1,2}') THEN TRY_CAST(t || '-01' AS DATE)
        WHEN regexp_matches(t, '^(19|20)\d\d-\d{1,2}-\d{1,2}([T ].*)?$')
            THEN TRY_CAST(regexp_extract(t, '^[\d-]+') AS DATE)
    END;

CREATE OR REPLACE MACRO date_precision(t) AS
    CASE
        WHEN partial_date(t) IS NULL THEN NULL
        WHEN length(t) = 4 THEN 'year'
        WHEN length(t) <= 7 THEN 'month'
        ELSE 'day'
    END;

CREATE OR REPLACE MACRO says_still_there(t) AS
    t IS NULL OR lower(t) IN ('present', 'current', 'now', 'today', 'null', 'none', '-', 'aujourd''hui',
                              'présent', 'actuel', 'en cours', 'à ce jour');

-- The keys by which a profile can be wanted, as strings: l:LinkedIn e:e-mail p:phone
-- o:last name|employer f:first name|last name. A host's two and three last labels both stand for
-- its registrable domain; a contact asks for the exact one.
CREATE OR REPLACE MACRO host_keys(host_name) AS
    list_filter(
        ['d:' || nullif(regexp_extract(host_name, '([^.]+\.[^.]+)$', 1), ''),
         'd:' || nullif(regexp_extract(host_name, '([^.]+\.[^.]+\.[^.]+)$', 1), '')],
        lambda k: k IS NOT NULL);

-- What a month is called, in English and French, also cut short.
CREATE OR REPLACE MACRO month_number(word) AS
    list_position(
        ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
        CASE regexp_replace(strip_accents(lower(word)), '\.$', '')
            WHEN 'january' THEN 'jan' WHEN 'janv' THEN 'jan' WHEN 'janvier' THEN 'jan'
            WHEN 'february' THEN 'feb' WHEN 'fev' THEN 'feb' WHEN 'fevr' THEN 'feb' WHEN 'fevrier' THEN 'feb'
            WHEN 'march' THEN 'mar' WHEN 'mars' THEN 'mar'
            WHEN 'april' THEN 'apr' WHEN 'avr' THEN 'apr' WHEN 'avril' THEN 'apr'
            WHEN 'mai' THEN 'may' WHEN 'june' THEN 'jun' WHEN 'juin' THEN 'jun'
            WHEN 'july' THEN 'jul' WHEN 'juil' THEN 'jul' WHEN 'juillet' THEN 'jul'
            WHEN 'august' THEN 'aug' WHEN 'aout' THEN 'aug'
            WHEN 'sept' THEN 'sep' WHEN 'september' THEN 'sep' WHEN 'septembre' THEN 'sep'
            WHEN 'october' THEN 'oct' WHEN 'octobre' THEN 'oct'
            WHEN 'november' THEN 'nov' WHEN 'novembre' THEN 'nov'
            WHEN 'december' THEN 'dec' WHEN 'decembre' THEN 'dec'
            ELSE regexp_replace(strip_accents(lower(word)), '\.$', '')
        END);

-- A date's text with the year first if it can mean one day (month, year) only; else as it is, which
-- partial_date does not read: 05/06/2025 is two days.
CREATE OR REPLACE MACRO unambiguous_date(t) AS
    CASE
        WHEN regexp_full_match(trim(t), '\d{4}[/.]\d{1,2}([/.]\d{1,2})?')
            THEN regexp_replace(trim(t), '[/.]', '-', 'g')
        WHEN regexp_full_match(trim(t), '\d{1,2}[/.-]\d{4}')
            THEN regexp_replace(trim(t), '^(\d+)\D(\d+)$', '\2-\1')
        WHEN regexp_full_match(trim(t), '\d{1,2}[/.-]\d{1,2}[/.-]\d{4}') THEN
            CASE
                WHEN TRY_CAST(regexp_extract(trim(t), '^(\d+)', 1) AS INTEGER) > 12
                    OR regexp_full_match(trim(t), '0?(\d+)[/.-]0?(\d+)[/.-]\d{4}')
                        AND ltrim(regexp_extract(trim(t), '^(\d+)', 1), '0')
                            = ltrim(regexp_extract(trim(t), '^\d+\D(\d+)', 1), '0')
                    THEN regexp_replace(trim(t), '^(\d+)\D(\d+)\D(\d+)$', '\3-\2-\1')
                WHEN TRY_CAST(regexp_extract(trim(t), '^\d+\D(\d+)', 1) AS INTEGER) > 12
                    THEN regexp_replace(trim(t), '^(\d+)\D(\d+)\D(\d+)$', '\3-\1-\2')
                ELSE t
            END
        WHEN regexp_full_match(trim(t), '(\d{1,2}\.? +)?\pL+\.?,? +\d{4}') THEN
            coalesce(regexp_extract(trim(t), '(\d{4})$', 1) || '-' ||
                month_number(regexp_extract(trim(t), '(\pL+\.?)', 1)) ||
                coalesce('-' || nullif(regexp_extract(trim(t), '^(\d{1,2})\.? ', 1), ''), ''), t)
        WHEN regexp_full_match(trim(t), '\pL+\.? +\d{1,2},? +\d{4}') THEN
            coalesce(regexp_extract(trim(t), '(\d{4})$', 1) || '-' ||
                month_number(regexp_extract(trim(t), '^(\pL+\.?)', 1)) || '-' ||
                regexp_extract(trim(t), ' (\d{1,2}),? ', 1), t)
        ELSE t
    END;

-- First or last names of which nothing depends on what stands beside them: see find.sql. A birth
-- name ("née"), a suffix or a degree is told by its neighbours.
CREATE OR REPLACE MACRO is_plain_word(t) AS
    regexp_full_match(t, '[\pL''’-]+( [\pL''’-]+)*') AND coalesce(bare_name(t) = t, FALSE)
        AND NOT regexp_matches(lower(t), '(^| )(n[eé]e?|sr|jr|[ivx]+|md|phd|mba|esq)( |$)');
