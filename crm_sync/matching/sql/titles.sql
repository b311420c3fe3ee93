-- Titles: a bag of words, so that order, punctuation, language and gender do not matter; and what
-- they say of seniority and of the kind of work. Stems stand between two blanks each, so that the
-- patterns need no word boundaries (crm_sync/normalise/title_patterns.py).
CREATE OR REPLACE MACRO title_text(t) AS
    regexp_replace(
        regexp_replace(
            regexp_replace(
                lower(replace(replace(t, chr(0), ' '), '’', '''')),
                getvariable('inclusive'), '\1', 'g'),
            getvariable('elision'), '\1', 'g'),
        getvariable('research'), 'rd', 'g');

CREATE OR REPLACE MACRO title_stems(text) AS
    title_endings(regexp_replace(
        ' ' || replace(fold(text), ' ', '  ') || ' ', getvariable('plural'), '\1 ', 'g'));

CREATE OR REPLACE MACRO title_key_stems(stems) AS
    regexp_replace(
        regexp_replace(stems, getvariable('silent'), '\1 ', 'g'), getvariable('filler'), '', 'g');

-- The letters of a title in alphabetical order: equal when two letters were swapped in typing.
CREATE OR REPLACE MACRO letters_of(folded) AS
    array_to_string(list_sort(string_split(squash(folded), '')), '');

CREATE OR REPLACE MACRO title_letters(t) AS letters_of(fold(t));

-- Seats that people hold beside their job: taking or leaving one is not changing job.
CREATE OR REPLACE MACRO seat_in(folded) AS
    coalesce(
        regexp_matches(folded, getvariable('seat_pattern'))
        AND NOT regexp_matches(folded, getvariable('not_a_seat_pattern')),
        FALSE);

CREATE OR REPLACE MACRO is_seat(t) AS seat_in(fold(t));

-- What people write where others have a job: retirement, studies, leave, a search for work.
CREATE OR REPLACE MACRO leave_in(folded) AS
    coalesce(regexp_matches(folded, getvariable('leave_pattern')), FALSE);

CREATE OR REPLACE MACRO pause_in(folded) AS
    coalesce(
        regexp_matches(folded, getvariable('pause_pattern'))
        AND NOT regexp_matches(folded, getvariable('not_a_pause_pattern')),
        FALSE) OR leave_in(folded);

CREATE OR REPLACE MACRO is_pause_employer(t) AS
    coalesce(regexp_full_match(fold(t), getvariable('pause_employer_pattern')), FALSE);

-- titled(rel): every distinct title of `rel` (a column `title`) with what it is compared by, its
-- level (null where it tells none) and its departments. In steps, because the planner takes a nest
-- of functions apart again at every level.
CREATE OR REPLACE MACRO titled_many(rel) AS TABLE
    WITH typed AS (
        SELECT title, fold(title) AS plain, title_text(title) AS text
        FROM (SELECT DISTINCT title FROM query_table(rel) WHERE title IS NOT NULL)
    ),
    stemmed AS (
        SELECT title, plain, title_stems(text) AS stems FROM typed
    ),
    said AS (
        SELECT
            title, plain,
            title_phrases(title_key_stems(stems)) AS phrased,
            level_reading(stems) AS for_level,
            department_reading(stems) AS for_departments
        FROM stemmed
    ),
    found AS (
        SELECT
            title, plain,
            list_transform(
                list_filter(string_split(phrased, ' '), lambda w: w <> ''),
                lambda w: coalesce(getvariable('title_synonyms')[w], w)) AS keys,
            title_level_in(for_level) AS level,
            title_departments_in(for_departments) AS departments
        FROM said
    ),
    levelled AS (
        SELECT * REPLACE (CASE
            WHEN level IS NULL AND len(departments) > 0 THEN 'entry'
            WHEN level <> 'none' THEN level END AS level)
        FROM found
    )
    SELECT
        title,
        nullif(array_to_string(list_sort(list_distinct(
            string_split(array_to_string(keys, ' '), ' '))), ' '), '') AS title_key,
        letters_of(plain) AS title_letters,
        seat_in(plain) AS is_seat,
        pause_in(plain) AS is_pause,
        leave_in(plain) AS is_leave,
        level,
        level_rank(level) AS level_rank,
        departments
    FROM levelled;
