-- Moves that may be a company's new name or a merger: what only several people together tell.

-- The same work, at another name, without a gap. From dates and titles alone nobody can tell a move
-- and a new name apart for one person. A word more or less in the title is the same work.
CREATE OR REPLACE MACRO without_rank(key) AS
    list_filter(words(key), lambda w: NOT list_contains(getvariable('rank_words'), w));

CREATE OR REPLACE MACRO is_same_work(a, b) AS list_has_all(a, b) OR list_has_all(b, a);

CREATE OR REPLACE TEMP TABLE going AS
WITH dated AS (
    SELECT f.match_no, f.contact_no, f.source, f.profile_id,
        coalesce(f.last_company_no, f.company_no) AS from_no, f.job_company_no AS to_no,
        f.last_company_no, f.last_domain_no,
        f.since, f.last_end_on,
        latest_day(f.since, f.start_precision) AS since_latest,
        latest_day(f.last_end_on, f.last_end_precision) AS last_end_latest,
        without_rank(j.title_key) AS job_work, without_rank(l.title_key) AS last_work,
        without_rank(c.title_key) AS crm_work
    FROM change_found f
    LEFT JOIN job_title c USING (title_no)
    LEFT JOIN job_title j ON j.title_no = f.job_title_no
    LEFT JOIN job_title l ON l.title_no = f.last_title_no
    WHERE f.kind = 'moved'
)
SELECT match_no, contact_no, source, profile_id, from_no, to_no, last_company_no, last_domain_no, last_end_latest,
    since - DATE '0001-01-01' AS first_day, since_latest - DATE '0001-01-01' AS last_day,
    coalesce(since <= last_end_latest + getvariable('seamless_days')
        AND last_end_on <= since_latest + getvariable('seamless_days')
        AND (job_work IS NULL OR coalesce(last_work, crm_work) IS NULL
            OR is_same_work(job_work, last_work) OR is_same_work(job_work, crm_work)), FALSE) AS is_seamless
FROM dated;

-- Who went from one employer to the same other one, at about the same time: every day of a date that
-- is known to the month or the year counts. Everybody whose time begins before the end of this one's,
-- without those whose time ends before its beginning.
CREATE OR REPLACE TEMP TABLE together AS
WITH person AS (
    SELECT source, from_no, to_no, profile_id, bool_or(is_seamless) AS is_seamless,
        min(first_day) AS first_day, max(last_day) AS last_day
    FROM going WHERE from_no IS NOT NULL AND to_no IS NOT NULL AND first_day IS NOT NULL
    GROUP BY ALL
),
-- Of most pairs there is one person only: what follows is for the others.
several AS (
    SELECT * FROM person SEMI JOIN (
        SELECT source, from_no, to_no FROM person GROUP BY ALL HAVING count(*) > 1
    ) USING (source, from_no, to_no)
),
edge AS (
    SELECT source, from_no, to_no, profile_id, is_seamless, first_day AS day, 1 AS begins, 0 AS asks FROM several
    UNION ALL SELECT source, from_no, to_no, profile_id, is_seamless, last_day, -1, 0 FROM several
    UNION ALL SELECT source, from_no, to_no, profile_id, FALSE, last_day + getvariable('together_days'), 0, 1 FROM several
    UNION ALL SELECT source, from_no, to_no, profile_id, FALSE, first_day - getvariable('together_days') - 1, 0, -1
    FROM several
),
counted AS (
    SELECT source, from_no, to_no, profile_id, asks,
        CASE asks WHEN 1 THEN count(*) FILTER (begins = 1) OVER w
            WHEN -1 THEN -count(*) FILTER (begins = -1) OVER w END AS people,
        CASE asks WHEN 1 THEN count(*) FILTER (begins = 1 AND is_seamless) OVER w
            WHEN -1 THEN -count(*) FILTER (begins = -1 AND is_seamless) OVER w END AS seamless_people
    FROM edge
    WINDOW w AS (PARTITION BY source, from_no, to_no ORDER BY day RANGE UNBOUNDED PRECEDING)
)
SELECT source, from_no, to_no, profile_id,
    sum(people) AS people, sum(seamless_people) AS seamless_people
FROM counted WHERE asks <> 0
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE many_moved AS
SELECT match_no FROM going SEMI JOIN (FROM together WHERE people >= 3) USING (source, from_no, to_no, profile_id);

-- Where two people went the same way, and the work of one of them just goes on, a new name is likelier
-- for both, whatever the other's new title is and whoever is said to be still there.
CREATE OR REPLACE TEMP TABLE went_together AS
SELECT match_no FROM going
SEMI JOIN (FROM together WHERE people > 1 AND seamless_people > 0) USING (source, from_no, to_no, profile_id);

CREATE OR REPLACE TEMP TABLE seamless AS
SELECT * FROM going WHERE is_seamless;

-- Who is still there, of the profiles that were staged: until when that is known, from the day on
-- which the record was verified or the job began. A date of the whole delivery says nothing, since
-- records in it may be old. The latest few, since some may be the mover's own duplicates.
CREATE OR REPLACE TEMP TABLE asked_after AS
SELECT organisation, company_no FROM organisation_words
WHERE company_no IN (SELECT last_company_no FROM seamless);

CREATE OR REPLACE TEMP TABLE still_there AS
WITH staying AS (
    SELECT
        e.source, e.company_no, s.domain_no, e.profile_id,
        max(greatest(e.start_on, CASE WHEN p.is_dated_itself THEN p.as_of END)) AS until
    FROM (
        SELECT * FROM employment JOIN asked_after USING (organisation) WHERE ending IN ('open', 'dated')
    ) e
    JOIN profile p ON p.profile_id = e.profile_id AND p.source = e.source
    LEFT JOIN job_title t ON t.title = e.title
    LEFT JOIN job_site s ON s.host = e.domain
    WHERE (e.ending = 'open' OR e.end_on > p.as_of)
        AND NOT coalesce(t.is_seat OR t.is_pause, FALSE)
        AND (p.as_of IS NULL OR e.start_on IS NULL OR e.start_on <= p.as_of)
    GROUP BY ALL
)
SELECT source, company_no, domain_no,
    unnest(max_by({'profile_id': profile_id, 'until': until}, until, getvariable('most_witnesses')),
        recursive := TRUE)
FROM staying WHERE until IS NOT NULL
GROUP BY source, company_no, domain_no;

-- Two profiles that may be one person's: the words of one name are all in the other, or the last name
-- and the first letter agree.
CREATE OR REPLACE MACRO full_name_of(p) AS coalesce(p.full_name, concat_ws(' ', p.first_name, p.last_name));

CREATE OR REPLACE MACRO may_be_one(a, b) AS
    list_has_all(a.said, b.said) OR list_has_all(b.said, a.said)
    OR coalesce(a.last = b.last AND a.initial = b.initial, FALSE);

CREATE OR REPLACE TEMP TABLE perhaps_renamed AS
WITH witnessed AS MATERIALIZED (
    SELECT m.match_no, m.contact_no, m.source, m.profile_id, w.profile_id AS witness_id
    FROM seamless m
    JOIN still_there w ON w.source = m.source AND w.company_no = m.last_company_no
        AND coalesce(w.domain_no = m.last_domain_no, TRUE)
        AND w.until > m.last_end_latest + getvariable('seamless_days')
    WHERE w.profile_id <> m.profile_id
),
-- Materialised: else the engine folds the names of all profiles.
wanted AS MATERIALIZED (
    SELECT p.source, p.profile_id, full_name_of(p) AS name, p.first_name, p.last_name
    FROM profile p SEMI JOIN (
        SELECT source, profile_id FROM witnessed UNION SELECT source, witness_id FROM witnessed
    ) USING (source, profile_id)
),
named AS (
    SELECT source, profile_id, {
        'said': words(fold(name)),
        'last': coalesce(fold(last_name), words(fold(name))[-1]),
        'initial': left(coalesce(fold(first_name), fold(name)), 1)
    } AS name
    FROM wanted
),
candidate AS (
    SELECT c.rowid AS contact_no, m.source, m.profile_id FROM match_row m JOIN contact_person c USING (contact_id)
    WHERE c.rowid IN (SELECT contact_no FROM witnessed)
),
lasting AS (
    SELECT w.match_no FROM witnessed w
    JOIN named a ON a.source = w.source AND a.profile_id = w.profile_id
    JOIN named b ON b.source = w.source AND b.profile_id = w.witness_id
    ANTI JOIN candidate c
        ON c.contact_no = w.contact_no AND c.source = w.source AND c.profile_id = w.witness_id
    WHERE NOT may_be_one(a.name, b.name)
)
SELECT match_no FROM seamless ANTI JOIN lasting USING (match_no)
UNION
SELECT match_no FROM went_together;

DROP TABLE going;
DROP TABLE together;
DROP TABLE went_together;
DROP TABLE seamless;
DROP TABLE still_there;
DROP TABLE asked_after;
