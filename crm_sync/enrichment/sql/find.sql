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

-- Pairs of words are compared as pairs of numbers.
CREATE OR REPLACE MACRO pair_of(one, other) AS one::UBIGINT * 4294967296 + other::UBIGINT;

CREATE OR REPLACE TEMP TABLE word_number AS
SELECT word, row_number() OVER () AS number FROM (
    SELECT last AS word FROM wanted_work UNION SELECT last FROM wanted_name
    UNION SELECT first FROM wanted_name UNION SELECT employer FROM wanted_work
    UNION SELECT first FROM wanted_block UNION SELECT employer FROM wanted_block
);

CREATE OR REPLACE TEMP TABLE wanted_pair AS
SELECT 'o' AS kind, pair_of(l.number, e.number) AS pair, 'o:' || w.last || '|' || w.employer AS key
FROM wanted_work w JOIN word_number l ON l.word = w.last JOIN word_number e ON e.word = w.employer
UNION ALL
SELECT 'f', pair_of(l.number, f.number), 'f:' || w.first || '|' || w.last
FROM wanted_name w JOIN word_number l ON l.word = w.last JOIN word_number f ON f.word = w.first
UNION ALL
SELECT 'g', pair_of(f.number, e.number), 'g:' || w.first || '|' || w.employer
FROM wanted_block w JOIN word_number f ON f.word = w.first JOIN word_number e ON e.word = w.employer;

CREATE OR REPLACE TEMP TABLE last_number AS
SELECT last_name, is_plain, n.number
FROM (SELECT last_name, is_plain, unnest(last_parts) AS last FROM last_word) w
JOIN word_number n ON n.word = w.last;

CREATE OR REPLACE TEMP TABLE first_number AS
SELECT first_name, n.number
FROM (SELECT first_name, unnest(firsts) AS first FROM first_word WHERE is_plain) w
JOIN word_number n ON n.word = w.first;

CREATE OR REPLACE TEMP TABLE employer_number AS
SELECT organisation, domain, n.number
FROM source_employer e JOIN word_number n ON n.word = e.employer;

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
),
employed AS (
    SELECT profile_id, first_name, last_name, coalesce(e.organisation, '') AS organisation, coalesce(e.domain, '') AS domain
    FROM (SELECT profile_id, first_name, last_name, unnest(employers) AS e FROM source_once)
),
pair AS (
    SELECT h.profile_id, 'o' AS kind, pair_of(l.number, m.number) AS pair
    FROM employed h JOIN last_number l USING (last_name)
    JOIN employer_number m USING (organisation, domain)
    UNION ALL
    SELECT h.profile_id, 'o', pair_of(n.number, m.number)
    FROM (SELECT profile_id, unnest(last_parts) AS last FROM odd_word) o
    JOIN word_number n ON n.word = o.last
    JOIN employed h ON h.profile_id = o.profile_id AND h.last_name IS NULL
    JOIN employer_number m USING (organisation, domain)
    UNION ALL
    SELECT h.profile_id, 'g', pair_of(f.number, m.number)
    FROM employed h JOIN first_number f USING (first_name)
    JOIN employer_number m USING (organisation, domain)
    UNION ALL
    SELECT h.profile_id, 'g', pair_of(n.number, m.number)
    FROM (SELECT profile_id, unnest(firsts) AS first FROM odd_word) o
    JOIN word_number n ON n.word = o.first
    JOIN employed h ON h.profile_id = o.profile_id AND h.first_name IS NULL
    JOIN employer_number m USING (organisation, domain)
    UNION ALL
    SELECT s.profile_id, 'f', pair_of(l.number, f.number)
    FROM source_once s JOIN first_number f USING (first_name)
    JOIN last_number l ON l.last_name = s.last_name AND l.is_plain
    WHERE s.full_name IS NULL OR s.full_name = s.first_name || ' ' || s.last_name
    UNION ALL
    SELECT o.profile_id, 'f', pair_of(l.number, f.number)
    FROM (SELECT profile_id, unnest(firsts) AS first, last FROM
        (SELECT profile_id, firsts, unnest(last_parts) AS last FROM odd_word)) o
    JOIN word_number f ON f.word = o.first JOIN word_number l ON l.word = o.last
)
SELECT DISTINCT profile_id, key FROM (
    SELECT profile_id, key FROM point SEMI JOIN wanted USING (key)
    UNION ALL SELECT p.profile_id, w.key FROM pair p JOIN wanted_pair w USING (kind, pair)
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
DROP TABLE wanted_block;
