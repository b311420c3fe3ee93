-- One verdict per contact, with its evidence in words.

-- Texts as they are shown: restored(source, text, shown) gives back capitals where a source lost
-- them; where the CRM spells a title or a company itself, its most frequent spelling is used. A
-- title of several words all in capitals, or all without, was typed in haste: it is no model.
CREATE OR REPLACE TEMP TABLE shown_title AS
WITH crm AS (
    SELECT fold(title) AS key, max_by(title, (people, title)) AS spelling
    FROM (SELECT title, count(*) AS people FROM contact_person WHERE title <> '' GROUP BY title)
    WHERE NOT (contains(title, ' ') AND title IN (upper(title), lower(title)))
    GROUP BY key
),
said_title AS (
    SELECT source, job_title AS text FROM change_found WHERE job_title IS NOT NULL
    UNION SELECT source, last_title FROM change_found WHERE kind IN ('moved', 'left') AND last_title IS NOT NULL
)
SELECT t.source, t.text, coalesce(c.spelling, r.shown, t.text) AS shown
FROM said_title t
LEFT JOIN crm c ON c.key = fold(t.text)
LEFT JOIN restored r USING (source, text);

CREATE OR REPLACE TEMP TABLE shown_organisation AS
WITH crm AS (
    SELECT company_key, max_by(organisation, (people, organisation)) AS spelling
    FROM (
        SELECT company_key, organisation, count(*) AS people FROM contact_person
        WHERE company_key IS NOT NULL GROUP BY ALL
    )
    GROUP BY company_key
),
said_organisation AS (
    SELECT DISTINCT source, job_organisation AS text, job_company_key AS company_key
    FROM change_found WHERE job_organisation IS NOT NULL
)
SELECT o.source, o.text, coalesce(c.spelling, r.shown, o.text) AS shown
FROM said_organisation o
LEFT JOIN crm c USING (company_key)
LEFT JOIN restored r USING (source, text);

CREATE OR REPLACE MACRO spoken_date(d, of_precision) AS
    CASE coalesce(of_precision, 'day')
        WHEN 'year' THEN strftime(d, '%Y') WHEN 'month' THEN strftime(d, '%Y-%m')
        ELSE strftime(d, '%Y-%m-%d') END;

CREATE OR REPLACE MACRO spoken_job(title, organisation) AS
    coalesce(nullif(title, ''), 'employed') || ' at ' || coalesce(nullif(organisation, ''), 'an employer without a name');

CREATE OR REPLACE MACRO spoken_trust(trust) AS
    CASE WHEN trust < 1 THEN ', trusted at ' || round(100 * trust)::INTEGER || ' %' ELSE '' END;

-- The other sources, in words: who, as of when, how far it is trusted, by what it was matched, and
-- what it says.
CREATE OR REPLACE TEMP TABLE other_words AS
WITH told AS (
    SELECT w.*,
        coalesce('as of ' || w.as_of, 'undated') || spoken_trust(w.trust)
            || ', matched by ' || replace(replace(w.rule, '_', ' '), '+', ' and ') AS by_what,
        CASE WHEN w.place = 'gone' THEN 'no present job is known'
            ELSE spoken_job(st.shown, coalesce(so.shown, f.job_domain)) END
            || CASE WHEN w.place = 'gone' OR f.job_start_on IS NULL THEN ''
                ELSE ' since ' || spoken_date(f.job_start_on, f.start_precision) END AS what
    FROM witness w
    JOIN change_found f ON f.match_no = w.other_no
    LEFT JOIN shown_title st ON st.source = f.source AND st.text = f.job_title
    LEFT JOIN shown_organisation so ON so.source = f.source AND so.text = f.job_organisation
    WHERE w.stance IS NOT NULL
)
SELECT match_no, list(CASE stance
        WHEN 'agrees' THEN said('agrees', source || ' agrees (' || by_what || '): ' || what, source, as_of)
        WHEN 'ended' THEN said('agrees', source || ' agrees that the old job ended (' || by_what || ')', source, as_of)
        WHEN 'earlier' THEN said('earlier', source || ' spoke before that (' || by_what || '): ' || what, source, as_of)
        ELSE said('held', source || ' says otherwise (' || by_what || '): ' || what, source, as_of)
    END ORDER BY stance, as_of DESC, source, other_no) AS said
FROM told GROUP BY match_no;

-- Profiles that another source's match ruled out.
CREATE OR REPLACE TEMP TABLE ruled_out AS
SELECT contact_id, list(said('set_aside', 'A profile of ' || source || ' was set aside: another LinkedIn page',
    source, NULL) ORDER BY source) AS said
FROM disputed GROUP BY contact_id;

-- How the new level stands to the old one. In the same company only a role that began anew counts.
CREATE OR REPLACE TEMP TABLE directed AS
WITH levels AS (
    SELECT f.match_no, a.level AS new_level, coalesce(b.level, l.level) AS old_level,
        a.level_rank - coalesce(b.level_rank, l.level_rank) AS step
    FROM change_found f
    JOIN contact_person c ON c.rowid = f.contact_no
    JOIN job_title a ON a.title = f.job_title
    LEFT JOIN job_title b ON b.title = c.title
    LEFT JOIN job_title l ON f.kind = 'moved' AND l.title = f.last_title
    WHERE f.kind = 'moved'
        OR f.kind = 'retitled' AND f.since IS NOT NULL
            AND (NOT f.has_held_before OR coalesce(f.since > f.last_start_on, TRUE))
)
SELECT match_no, new_level, old_level,
    CASE WHEN step > 0 THEN 'promoted' WHEN step < 0 THEN 'demoted' ELSE 'lateral' END AS direction
FROM levels WHERE step IS NOT NULL;

-- Why a contact without any usable match stays unknown.
CREATE OR REPLACE TEMP TABLE unmatched AS
WITH alone AS (
    SELECT c.rowid AS contact_no, c.* FROM contact_person c
    ANTI JOIN believed b ON b.contact_no = c.rowid
)
SELECT
    c.contact_no,
    CASE
        WHEN c.last_key IS NULL AND c.slug IS NULL AND c.email_key IS NULL THEN 'nameless'
        WHEN count(m.profile_id) FILTER (m.set_aside = 'ambiguous') > 0 THEN 'ambiguous'
        WHEN count(m.profile_id) FILTER (m.set_aside = 'claimed_twice') > 0 THEN 'claimed_twice'
        WHEN count(m.profile_id) FILTER (m.set_aside = 'disputed') > 0 THEN 'disputed'
        WHEN count(m.profile_id) FILTER (m.set_aside = 'other_linkedin') > 0 THEN 'other_linkedin'
        WHEN count(m.profile_id) > 0 THEN 'other_person'
        WHEN c.company_key IS NULL AND c.domain IS NULL THEN 'employer_missing'
        WHEN coalesce(sum(n.profiles), 0) > 0 THEN 'namesakes'
        ELSE 'no_candidate'
    END AS finding,
    coalesce(max(m.equals) FILTER (m.set_aside = 'ambiguous'), 0) AS equals,
    coalesce(max(m.claimed_by) FILTER (m.set_aside = 'claimed_twice'), 0) AS claimed_by,
    coalesce(max(n.profiles), 0) AS namesakes,
    coalesce(max(m.source), max(n.source), '') AS source
FROM alone c
LEFT JOIN match_row m USING (contact_id)
LEFT JOIN same_name n ON n.contact_id = c.contact_id AND m.contact_id IS NULL
GROUP BY c.contact_no, c.last_key, c.slug, c.email_key, c.company_key, c.domain;

CREATE OR REPLACE TEMP TABLE job_change_row AS
WITH worded AS (
    SELECT
        b.* EXCLUDE (doubts),
        c.title AS from_title, c.organisation AS from_organisation,
        f.start_precision, f.last_end_on, f.last_end_precision, f.job_start_on, f.job_there_by_id,
        f.job_surely_there, f.stint_from, f.stint_until, f.job_organisation,
        coalesce(st.shown, '') AS source_title, coalesce(so.shown, '') AS source_organisation,
        sl.shown AS last_title,
        CASE WHEN b.kind IN ('unknown', 'unchanged') THEN list_filter(b.doubts, lambda d: d = 'undated')
            ELSE b.doubts END AS doubts
    FROM believed b
    JOIN change_found f USING (match_no)
    JOIN contact_person c ON c.rowid = b.contact_no
    LEFT JOIN shown_title st ON st.source = b.source AND st.text = f.job_title
    LEFT JOIN shown_organisation so ON so.source = b.source AND so.text = f.job_organisation
    LEFT JOIN shown_title sl ON f.kind IN ('moved', 'left') AND sl.source = b.source AND sl.text = f.last_title
),
spelt AS (
    SELECT *,
        CASE WHEN kind IN ('unknown', 'left') THEN ''
            WHEN kind = 'unchanged' AND from_title <> '' THEN from_title
            ELSE source_title END AS to_title,
        CASE WHEN kind IN ('unknown', 'left') THEN ''
            WHEN kind IN ('unchanged', 'retitled') AND from_organisation <> '' THEN from_organisation
            ELSE source_organisation END AS to_organisation
    FROM worded
),
evident AS (
    SELECT *,
        'Is ' || spoken_job(source_title, to_organisation)
            || coalesce(' since ' || spoken_date(job_start_on, start_precision), '') AS spoken_present,
        'Was ' || spoken_job(last_title, from_organisation)
            || coalesce(' until ' || spoken_date(last_end_on, last_end_precision), '') AS spoken_past
    FROM spelt
)
SELECT
    h.contact_id,
    h.kind,
    round(h.match_confidence * h.change_confidence, 4) AS confidence,
    h.band,
    CASE WHEN h.kind <> 'unknown' THEN h.since END AS since,
    h.as_of,
    h.from_title,
    h.from_organisation,
    h.to_title,
    h.to_organisation,
    h.source,
    h.profile_id,
    list_concat(
        m.evidence,
        CASE h.kind
            WHEN 'unchanged' THEN [said('still_there', spoken_present, h.source, h.as_of)]
            WHEN 'retitled' THEN [said('new_title', spoken_present, h.source, h.as_of)]
            WHEN 'moved' THEN [said('ended', spoken_past, h.source, h.as_of),
                said('new_employer', spoken_present, h.source, h.as_of)]
            WHEN 'left' THEN [said('ended', spoken_past, h.source, h.as_of),
                said('no_job', 'No present job is known', h.source, h.as_of)]
            ELSE [said(h.finding, getvariable('finding_words')[h.finding], h.source, h.as_of)]
        END,
        CASE WHEN h.kind = 'unchanged' AND h.from_title = '' THEN [said('blank_title',
            'The CRM has no title to compare', h.source, h.as_of)] END,
        CASE WHEN h.kind IN ('unchanged', 'retitled') AND NOT h.job_surely_there THEN [said('same_company',
            h.from_organisation || ' goes by another name there: '
                || coalesce(nullif(h.source_organisation, ''), h.job_domain), h.source, h.as_of)] END,
        CASE WHEN d.direction IS NOT NULL THEN [said(d.direction, CASE d.direction
            WHEN 'promoted' THEN 'A step up: ' || d.old_level || ' → ' || d.new_level
            WHEN 'demoted' THEN 'A step down: ' || d.old_level || ' → ' || d.new_level
            ELSE 'The same level: ' || d.new_level END, h.source, h.as_of)] END,
        CASE WHEN r.match_no IS NOT NULL THEN [said('returned', 'Had been there before, until '
            || spoken_date(r.was_there_until.day, r.was_there_until.precision), h.source, h.as_of)] END,
        CASE WHEN h.kind IN ('unchanged', 'retitled') AND h.stint_from >= h.last_end_on - getvariable('seamless_days')
            AND h.stint_until <= h.job_start_on + getvariable('seamless_days') THEN [said('returned',
            'Came back after working elsewhere', h.source, h.as_of)] END,
        w.said,
        o.said,
        CASE WHEN h.measured IS NOT NULL THEN [said('measured', h.measured, h.source, NULL)] END,
        list_transform(h.doubts, lambda d: said('held', getvariable('doubt_words')[d], h.source, h.as_of))
    ) AS evidence,
    h.rule,
    coalesce(d.direction, '') AS direction,
    round(h.match_confidence, 4) AS match_confidence,
    round(h.change_confidence, 4) AS change_confidence
FROM evident h
JOIN match_row m USING (contact_id, source, profile_id)
LEFT JOIN directed d USING (match_no)
LEFT JOIN came_back r USING (match_no)
LEFT JOIN other_words w USING (match_no)
LEFT JOIN ruled_out o ON o.contact_id = h.contact_id
UNION ALL
SELECT
    c.contact_id, 'unknown', 0.0, 'ignored', NULL, NULL, c.title, c.organisation, '', '', '', '',
    [said(u.finding,
        replace(replace(replace(replace(getvariable('finding_words')[u.finding],
            '{equals}', u.equals::VARCHAR), '{claimed_by}', u.claimed_by::VARCHAR),
            '{namesakes}', u.namesakes::VARCHAR),
            '{organisation}', coalesce(nullif(c.organisation, ''), c.domain, 'that employer')),
        u.source, NULL)],
    '', '', 0.0, 0.0
FROM unmatched u
JOIN contact_person c ON c.rowid = u.contact_no;

DROP TABLE followed;
DROP TABLE change_found;
DROP TABLE claim;
DROP TABLE believed;
DROP TABLE witness;
