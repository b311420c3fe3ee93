-- One verdict per contact, with its evidence in words.

-- Texts as they are shown: restored(text, is_title, shown) gives back capitals where a source lost
-- them; where the CRM spells a title or a company itself, its most frequent spelling is used. A
-- title of several words all in capitals, or all without, was typed in haste: it is no model.
CREATE OR REPLACE TEMP TABLE shown_title AS
WITH crm AS (
    SELECT fold(title) AS key, max_by(title, (people, title)) AS spelling
    FROM (SELECT title, count(*) AS people FROM contact_person WHERE title <> '' GROUP BY title)
    WHERE NOT (contains(title, ' ') AND title IN (upper(title), lower(title)))
    GROUP BY key
)
SELECT t.title_no, coalesce(c.spelling, t.title) AS shown, coalesce(c.spelling, r.shown, t.title) AS restored
FROM job_title t
SEMI JOIN (SELECT job_title_no AS title_no FROM change_found UNION SELECT last_title_no FROM change_found) USING (title_no)
LEFT JOIN crm c ON c.key = fold(t.title)
LEFT JOIN restored r ON r.is_title AND r.text = t.title;

CREATE OR REPLACE TEMP TABLE shown_organisation AS
WITH crm AS (
    SELECT company_key, max_by(organisation, (people, organisation)) AS spelling
    FROM (
        SELECT company_key, organisation, count(*) AS people FROM contact_person
        WHERE company_key IS NOT NULL GROUP BY ALL
    )
    GROUP BY company_key
)
SELECT o.organisation_no, coalesce(c.spelling, o.organisation) AS shown,
    coalesce(c.spelling, r.shown, o.organisation) AS restored
FROM organisation_words o
SEMI JOIN (SELECT job_organisation_no AS organisation_no FROM change_found) USING (organisation_no)
LEFT JOIN crm c USING (company_key)
LEFT JOIN restored r ON NOT r.is_title AND r.text = o.organisation;

CREATE OR REPLACE MACRO spoken_date(d, of_precision) AS
    left(d::VARCHAR, CASE of_precision WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END);

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
        CASE WHEN w.is_over_again AND coalesce(w.place, 'gone') = 'gone' THEN 'the new job is over'
            WHEN w.place = 'gone' THEN 'no present job is known'
            ELSE spoken_job(CASE WHEN r.source IS NULL THEN st.shown ELSE st.restored END,
                CASE WHEN r.source IS NULL THEN so.shown ELSE so.restored END) END
            || CASE WHEN coalesce(w.place, 'gone') = 'gone' OR f.job_start_on IS NULL THEN ''
                ELSE ' since ' || spoken_date(f.job_start_on, f.start_precision) END AS what
    FROM witness w
    JOIN change_found f ON f.match_no = w.other_no
    LEFT JOIN restoring r ON r.source = f.source
    LEFT JOIN shown_title st ON st.title_no = f.job_title_no
    LEFT JOIN shown_organisation so ON so.organisation_no = f.job_organisation_no
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
SELECT c.rowid AS contact_no, list(said('set_aside', 'A profile of ' || d.source
    || ' was set aside: another LinkedIn page', d.source, NULL) ORDER BY d.source) AS said
FROM disputed d JOIN contact_person c USING (contact_id)
GROUP BY c.rowid;

-- How the new level stands to the old one. In the same company only a role that began anew counts.
CREATE OR REPLACE TEMP TABLE directed AS
WITH levels AS (
    SELECT f.match_no, a.level AS new_level, coalesce(b.level, l.level) AS old_level,
        a.level_rank - coalesce(b.level_rank, l.level_rank) AS step
    FROM change_found f
    JOIN job_title a ON a.title_no = f.job_title_no
    LEFT JOIN job_title b ON b.title_no = f.title_no
    LEFT JOIN job_title l ON l.title_no = f.last_title_no AND f.key_no IS NULL
    WHERE f.kind = 'moved'
        OR f.kind = 'retitled' AND f.since IS NOT NULL
            AND (NOT f.has_held_before OR coalesce(f.since > f.last_start_on, FALSE))
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
        WHEN count(m.profile_id) > 0
            AND count(m.profile_id) = count(m.profile_id) FILTER (m.set_aside = 'name_missing') THEN 'name_missing'
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

-- All but the evidence, and what the evidence is made of.
CREATE OR REPLACE TEMP TABLE verdict_row AS
WITH worded AS (
    SELECT
        b.* EXCLUDE (finding),
        c.title AS from_title, c.organisation AS from_organisation,
        coalesce(CASE WHEN r.source IS NULL THEN st.shown ELSE st.restored END, '') AS source_title,
        coalesce(CASE WHEN r.source IS NULL THEN so.shown ELSE so.restored END, '') AS source_organisation,
        CASE WHEN r.source IS NULL THEN sl.shown ELSE sl.restored END AS last_title,
        ' since ' || spoken_date(f.job_start_on, f.start_precision) AS since_words,
        ' until ' || spoken_date(f.last_end_on, f.last_end_precision) AS until_words,
        b.finding,
        b.kind IN ('unchanged', 'retitled') AND NOT f.job_surely_there AS is_elsewhere_named,
        coalesce(b.kind IN ('unchanged', 'retitled')
            AND f.stint_from >= f.last_end_on - getvariable('seamless_days')
            AND f.stint_until <= f.job_start_on + getvariable('seamless_days'), FALSE) AS is_back
    FROM believed b
    JOIN change_found f USING (match_no)
    JOIN contact_person c ON c.rowid = b.contact_no
    LEFT JOIN restoring r ON r.source = b.source
    LEFT JOIN shown_title st ON st.title_no = f.job_title_no
    LEFT JOIN shown_organisation so ON so.organisation_no = f.job_organisation_no
    LEFT JOIN shown_title sl ON sl.title_no = f.last_title_no
)
SELECT *,
    CASE WHEN kind IN ('unknown', 'left') THEN ''
        WHEN kind = 'unchanged' AND from_title <> '' THEN from_title
        ELSE source_title END AS to_title,
    CASE WHEN kind IN ('unknown', 'left') THEN ''
        WHEN kind IN ('unchanged', 'retitled') AND from_organisation <> '' THEN from_organisation
        ELSE source_organisation END AS to_organisation
FROM worded;

-- What the evidence says beside the match and the jobs; most verdicts have nothing of it.
CREATE OR REPLACE TEMP TABLE remark AS
SELECT
    h.match_no,
    list_concat(
        CASE WHEN h.kind = 'unchanged' AND h.from_title = '' THEN [said('blank_title',
            'The CRM has no title to compare', h.source, h.as_of)] END,
        CASE WHEN h.is_elsewhere_named AND h.source_organisation <> '' THEN [said('same_company',
            h.from_organisation || ' goes by another name there: ' || h.source_organisation, h.source, h.as_of)] END,
        CASE WHEN d.direction IS NOT NULL THEN [said(d.direction, CASE d.direction
            WHEN 'promoted' THEN 'A step up: ' || d.old_level || ' → ' || d.new_level
            WHEN 'demoted' THEN 'A step down: ' || d.old_level || ' → ' || d.new_level
            ELSE 'The same level: ' || d.new_level END, h.source, h.as_of)] END,
        CASE WHEN r.match_no IS NOT NULL THEN [said('returned', 'Had been there before, until '
            || spoken_date(r.was_there_until.day, r.was_there_until.precision), h.source, h.as_of)] END,
        CASE WHEN h.is_back THEN [said('returned', 'Came back after working elsewhere', h.source, h.as_of)] END,
        w.said,
        o.said,
        CASE WHEN h.measured IS NOT NULL THEN [said('measured', h.measured, h.source, NULL)] END,
        list_transform(
            CASE WHEN h.kind IN ('unknown', 'unchanged') THEN list_filter(h.doubts, lambda d: d = 'undated')
                ELSE h.doubts END,
            lambda d: said('held', getvariable('doubt_words')[d], h.source, h.as_of))
    ) AS said,
    d.direction
FROM verdict_row h
LEFT JOIN directed d USING (match_no)
LEFT JOIN came_back r USING (match_no)
LEFT JOIN other_words w USING (match_no)
LEFT JOIN ruled_out o USING (contact_no)
WHERE h.kind <> 'unchanged' OR h.from_title = '' OR h.is_elsewhere_named OR h.is_back OR len(h.doubts) > 0
    OR w.match_no IS NOT NULL OR o.contact_no IS NOT NULL OR h.measured IS NOT NULL;

-- A view, so that the evidence is put together once, on its way out.
CREATE OR REPLACE TEMP VIEW job_change_row AS
SELECT
    m.contact_id,
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
            WHEN 'unchanged' THEN [said('still_there', 'Is ' || spoken_job(h.source_title, h.to_organisation)
                || coalesce(since_words, ''), h.source, h.as_of)]
            WHEN 'retitled' THEN [said('new_title', 'Is ' || spoken_job(h.source_title, h.to_organisation)
                || coalesce(since_words, ''), h.source, h.as_of)]
            WHEN 'moved' THEN [
                said('ended', 'Was ' || spoken_job(h.last_title, h.from_organisation)
                    || coalesce(until_words, ''), h.source, h.as_of),
                said('new_employer', 'Is ' || spoken_job(h.source_title, h.to_organisation)
                    || coalesce(since_words, ''), h.source, h.as_of)]
            WHEN 'left' THEN [
                said('ended', 'Was ' || spoken_job(h.last_title, h.from_organisation)
                    || coalesce(until_words, ''), h.source, h.as_of),
                said('no_job', 'No present job is known', h.source, h.as_of)]
            ELSE [said(h.finding, getvariable('finding_words')[h.finding], h.source, h.as_of)]
        END,
        k.said
    ) AS evidence,
    h.rule,
    coalesce(k.direction, '') AS direction,
    round(h.match_confidence, 4) AS match_confidence,
    round(h.change_confidence, 4) AS change_confidence
FROM match_row m
JOIN verdict_row h ON h.match_no = m.rowid
LEFT JOIN remark k USING (match_no)
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
