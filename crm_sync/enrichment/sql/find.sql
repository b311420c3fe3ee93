-- One source: source_once (its records, each id once) joined with wanted(key).
--
-- Most records of a source are nobody's. They are left aside by what is cheap to look at: first and
-- last names and employers are normalised once for each spelling, and only what stands for a wanted
-- key is taken apart.

-- What is wanted, by kind.
CREATE OR REPLACE TEMP TABLE wanted_work AS
SELECT split_part(key[3:], '|', 1) AS last, split_part(key, '|', 2) AS employer
FROM wanted WHERE starts_with(key, 'o:');

CREATE OR REPLACE TEMP TABLE wanted_name AS
SELECT split_part(key[3:], '|', 1) AS first, split_part(key, '|', 2) AS last
FROM wanted WHERE starts_with(key, 'f:');

-- A first name at an employer finds last names that are misspelt or changed (matching/tail.py).
CREATE OR REPLACE TEMP TABLE wanted_block AS
SELECT split_part(key[3:], '|', 1) AS first, split_part(key, '|', 2) AS employer
FROM wanted WHERE starts_with(key, 'g:');

-- The employers of contacts, as the source writes them.
CREATE OR REPLACE TEMP TABLE source_employer AS
WITH written AS (
    SELECT DISTINCT e.organisation, e.domain FROM (SELECT unnest(employers) AS e FROM source_once)
),
spelt AS (
    SELECT organisation, domain, unnest(list_append(
        list_transform(host_keys(host(domain)), lambda k: k), 'n:' || company_key(organisation))) AS employer
    FROM written
)
SELECT DISTINCT coalesce(organisation, '') AS organisation, coalesce(domain, '') AS domain, employer
FROM spelt SEMI JOIN wanted_work USING (employer);

-- A name is taken apart word by word where nothing in it depends on the rest; is_plain says where.
CREATE OR REPLACE TEMP VIEW first_spelt AS
SELECT DISTINCT NULL::VARCHAR AS full_name, first_name, NULL::VARCHAR AS last_name
FROM source_once WHERE first_name IS NOT NULL;

CREATE OR REPLACE TEMP VIEW last_spelt AS
SELECT DISTINCT NULL::VARCHAR AS full_name, NULL::VARCHAR AS first_name, last_name
FROM source_once WHERE last_name IS NOT NULL;

CREATE OR REPLACE TEMP TABLE first_word AS
SELECT first_name, firsts, is_plain_word(first_name) AS is_plain FROM named('first_spelt');

CREATE OR REPLACE TEMP TABLE last_word AS
SELECT last_name, last_parts, is_plain_word(last_name) AS is_plain FROM named('last_spelt');

CREATE OR REPLACE TEMP TABLE odd_name AS
SELECT s.profile_id, s.full_name, s.first_name, s.last_name
FROM source_once s
LEFT JOIN first_word f USING (first_name)
LEFT JOIN last_word l USING (last_name)
WHERE NOT coalesce(f.is_plain AND l.is_plain
    AND (s.full_name IS NULL OR s.full_name = s.first_name || ' ' || s.last_name), FALSE);

CREATE OR REPLACE TEMP TABLE odd_word AS
SELECT profile_id, firsts, last_parts FROM named('odd_name');

-- Pairs of words are compared as pairs of numbers. Words of each kind have numbers of their own, so
-- that a pair of numbers says of which kind it is.
CREATE OR REPLACE MACRO pair_of(one, other) AS one::UBIGINT * 4294967296 + other::UBIGINT;

CREATE OR REPLACE TEMP TABLE word_number AS
SELECT word, row_number() OVER () AS number FROM (
    SELECT 'l' || last AS word FROM wanted_work UNION SELECT 'l' || last FROM wanted_name
    UNION SELECT 'f' || first FROM wanted_name UNION SELECT 'f' || first FROM wanted_block
    UNION SELECT 'e' || employer FROM wanted_work UNION SELECT 'e' || employer FROM wanted_block
);

CREATE OR REPLACE TEMP TABLE wanted_pair AS
SELECT pair_of(a.number, b.number) AS pair, w.key
FROM (
    SELECT 'l' || last AS one, 'e' || employer AS other, 'o:' || last || '|' || employer AS key FROM wanted_work
    UNION ALL SELECT 'f' || first, 'e' || employer, 'g:' || first || '|' || employer FROM wanted_block
    UNION ALL SELECT 'f' || first, 'l' || last, 'f:' || first || '|' || last FROM wanted_name
) w
JOIN word_number a ON a.word = w.one JOIN word_number b ON b.word = w.other;

CREATE OR REPLACE TEMP TABLE last_number AS
SELECT last_name, bool_and(is_plain) AS is_plain, list(n.number) AS numbers
FROM (SELECT last_name, is_plain, unnest(last_parts) AS last FROM last_word) w
JOIN word_number n ON n.word = 'l' || w.last
GROUP BY last_name;

CREATE OR REPLACE TEMP TABLE first_number AS
SELECT first_name, list(n.number) AS numbers
FROM (SELECT first_name, unnest(firsts) AS first FROM first_word WHERE is_plain) w
JOIN word_number n ON n.word = 'f' || w.first
GROUP BY first_name;

CREATE OR REPLACE TEMP TABLE odd_number AS
SELECT profile_id, list(n.number) FILTER (starts_with(n.word, 'f')) AS firsts,
    list(n.number) FILTER (starts_with(n.word, 'l')) AS lasts
FROM (
    SELECT profile_id, 'f' || unnest(firsts) AS word FROM odd_word
    UNION ALL SELECT profile_id, 'l' || unnest(last_parts) FROM odd_word
) w JOIN word_number n USING (word)
GROUP BY profile_id;

CREATE OR REPLACE TEMP TABLE employer_number AS
SELECT organisation, domain, n.number
FROM source_employer e JOIN word_number n ON n.word = 'e' || e.employer;

-- Reading a telephone number is slow: first by its last digits, where there is nothing else in it.
CREATE OR REPLACE TEMP TABLE wanted_digits AS
SELECT DISTINCT right(key, 8) AS digits FROM wanted WHERE starts_with(key, 'p:');

CREATE OR REPLACE TEMP TABLE source_hit AS
WITH point AS (
    SELECT profile_id, 'l:' || linkedin_slug(u) AS key
    FROM (SELECT profile_id, unnest(linkedin_urls) AS u FROM source_once)
    UNION ALL
    SELECT profile_id, 'e:' || address_key(e)
    FROM (SELECT profile_id, unnest(emails) AS e FROM source_once)
    UNION ALL
    SELECT profile_id, 'p:' || phone_key(p, country)
    FROM (SELECT profile_id, country, unnest(phones) AS p FROM source_once)
    WHERE NOT regexp_full_match(p, '[+0-9 ().-]+')
        OR right(regexp_replace(p, '[^0-9]+', '', 'g'), 8) IN (SELECT digits FROM wanted_digits)
),
pair AS (
    SELECT h.profile_id, unnest(list_concat(l.numbers, f.numbers)) AS one, m.number AS other
    FROM (SELECT profile_id, first_name, last_name, unnest(employers) AS e FROM source_once) h
    JOIN employer_number m ON m.organisation = coalesce(h.e.organisation, '')
        AND m.domain = coalesce(h.e.domain, '')
    LEFT JOIN last_number l ON l.last_name = h.last_name
    LEFT JOIN first_number f ON f.first_name = h.first_name
    UNION ALL
    SELECT h.profile_id, unnest(list_concat(h.firsts, h.lasts)), m.number
    FROM (
        SELECT profile_id, o.firsts, o.lasts, unnest(s.employers) AS e
        FROM source_once s JOIN odd_number o USING (profile_id)
    ) h
    JOIN employer_number m ON m.organisation = coalesce(h.e.organisation, '')
        AND m.domain = coalesce(h.e.domain, '')
    UNION ALL
    SELECT profile_id, unnest(firsts), last FROM (
        SELECT s.profile_id, f.numbers AS firsts, unnest(l.numbers) AS last
        FROM source_once s JOIN first_number f USING (first_name)
        JOIN last_number l ON l.last_name = s.last_name AND l.is_plain
        WHERE s.full_name IS NULL OR s.full_name = s.first_name || ' ' || s.last_name
        UNION ALL
        SELECT profile_id, firsts, unnest(lasts) FROM odd_number
    )
)
SELECT DISTINCT profile_id, key FROM (
    SELECT profile_id, key FROM point SEMI JOIN wanted USING (key)
    UNION ALL SELECT p.profile_id, w.key FROM pair p JOIN wanted_pair w ON w.pair = pair_of(p.one, p.other)
);

-- What many hold singles out nobody; it is counted.
CREATE OR REPLACE TEMP TABLE crowded_key AS
SELECT key FROM source_hit WHERE starts_with(key, 'g:')
GROUP BY key HAVING count(*) > coalesce(getvariable('most_holders_of_block'), 0);

INSERT INTO crowded_block SELECT getvariable('stage_source'), count(*) FROM crowded_key;

DELETE FROM source_hit WHERE key IN (SELECT key FROM crowded_key);

DROP TABLE crowded_key;

-- A name alone is only counted, unless few have it.
CREATE OR REPLACE TEMP TABLE source_strong AS
SELECT profile_id FROM source_hit WHERE NOT starts_with(key, 'f:')
UNION
SELECT profile_id FROM source_hit WHERE key IN (
    SELECT key FROM source_hit WHERE starts_with(key, 'f:')
    GROUP BY key HAVING count(*) <= coalesce(getvariable('most_holders_of_name'), 0));

DROP TABLE odd_name;
DROP TABLE odd_word;
DROP TABLE first_word;
DROP TABLE last_word;
DROP TABLE last_number;
DROP TABLE first_number;
DROP TABLE employer_number;
DROP TABLE wanted_pair;
DROP TABLE word_number;
DROP TABLE odd_number;
DROP TABLE wanted_digits;
DROP TABLE wanted_block;
