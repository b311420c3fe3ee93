-- One verdict per contact, with its evidence in words.

-- Texts as they are shown: shown_text(source, text, shown) restores capitals where a source lost
-- them; where the CRM spells a title or a company itself, its most frequent spelling is used.
CREATE OR REPLACE TEMP TABLE crm_title AS
SELECT fold(title) AS key, title AS spelling FROM contact WHERE title <> ''
GROUP BY fold(title), title
QUALIFY row_number() OVER (PARTITION BY fold(title) ORDER BY count(*) DESC, title) = 1;

CREATE OR REPLACE TEMP TABLE crm_organisation AS
SELECT company_key AS key, organisation AS spelling FROM contact WHERE company_key IS NOT NULL
GROUP BY company_key, organisation
QUALIFY row_number() OVER (PARTITION BY company_key ORDER BY count(*) DESC, organisation) = 1;

CREATE OR REPLACE TEMP TABLE claim AS
SELECT
    d.contact_id,
    d.source,
    d.profile_id,
    d.kind,
    d.finding,
    d.as_of,
    d.since,
    d.doubts,
    CASE
        WHEN d.kind = 'unknown' THEN 'ignored'
        WHEN d.band = 'auto' AND len(d.doubts) = 0 THEN 'auto'
        ELSE 'review'
    END AS band,
    d.band AS match_band,
    d.strength,
    d.confidence AS match_confidence,
    CASE WHEN d.kind = 'unknown' THEN 0.0
        ELSE round(d.confidence * getvariable('kind_confidence')[d.kind]
            * pow(getvariable('doubt_factor'), len(d.doubts)), 4) END AS confidence,
    CASE
        WHEN d.kind IN ('unknown', 'left') THEN ''
        WHEN d.kind = 'unchanged' AND d.from_title <> '' THEN d.from_title
        ELSE coalesce(ct.spelling, st.shown, d.job.title, '')
    END AS to_title,
    CASE
        WHEN d.kind IN ('unknown', 'left') THEN ''
        WHEN d.kind IN ('unchanged', 'retitled') AND d.from_organisation <> '' THEN d.from_organisation
        ELSE coalesce(co.spelling, so.shown, d.job.organisation, '')
    END AS to_organisation,
    coalesce(ct.spelling, st.shown, d.job.title) AS source_title,
    coalesce(sl.shown, d.last_there.title) AS last_title,
    d.match_evidence,
    d.job,
    d.last_there,
    d.from_title,
    d.from_organisation
FROM doubted d
LEFT JOIN crm_title ct ON ct.key = fold(d.job.title)
LEFT JOIN crm_organisation co ON co.key = d.job.company_key
LEFT JOIN shown_text st ON st.source = d.source AND st.text = d.job.title
LEFT JOIN shown_text sl ON sl.source = d.source AND sl.text = d.last_there.title
LEFT JOIN shown_text so ON so.source = d.source AND so.text = d.job.organisation;

-- The claim that speaks for a contact: the surest match, then the newest, then the better founded.
-- Another source that knew better later, and says otherwise, is a doubt.
CREATE OR REPLACE TEMP TABLE chosen AS
WITH ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY contact_id
        ORDER BY kind = 'unknown', match_band, as_of DESC NULLS LAST, strength DESC,
            match_confidence DESC, source, profile_id) AS rank
    FROM claim
)
SELECT
    r.*,
    (SELECT min(o.source) FROM ranked o
     WHERE o.contact_id = r.contact_id AND o.rank > 1 AND o.kind <> 'unknown'
        AND r.kind IN ('moved', 'left', 'retitled')
        AND (r.since IS NULL OR o.as_of IS NULL OR o.as_of > r.since)
        AND (o.kind <> r.kind OR fold(o.to_organisation) IS DISTINCT FROM fold(r.to_organisation)
            OR o.job.title_key IS DISTINCT FROM r.job.title_key)) AS contradicted_by
FROM ranked r
WHERE r.rank = 1;

CREATE OR REPLACE MACRO spoken_date(d, of_precision) AS
    CASE coalesce(of_precision, 'day')
        WHEN 'year' THEN strftime(d, '%Y') WHEN 'month' THEN strftime(d, '%Y-%m')
        ELSE strftime(d, '%Y-%m-%d') END;

CREATE OR REPLACE MACRO spoken_job(title, organisation) AS
    coalesce(nullif(title, ''), 'employed') || ' at ' || coalesce(nullif(organisation, ''), 'an employer without a name');

-- Why a contact without any usable match stays unknown.
CREATE OR REPLACE TEMP TABLE unmatched AS
SELECT
    c.contact_id,
    CASE
        WHEN c.last_key IS NULL AND c.slug IS NULL AND c.email_key IS NULL THEN 'nameless'
        WHEN count(m.profile_id) FILTER (m.set_aside = 'ambiguous') > 0 THEN 'ambiguous'
        WHEN count(m.profile_id) FILTER (m.set_aside = 'claimed_twice') > 0 THEN 'claimed_twice'
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
FROM contact_person c
LEFT JOIN match_row m USING (contact_id)
LEFT JOIN same_name n ON n.contact_id = c.contact_id AND m.contact_id IS NULL
WHERE c.contact_id NOT IN (SELECT contact_id FROM chosen)
GROUP BY c.contact_id, c.last_key, c.slug, c.email_key, c.company_key, c.domain;

CREATE OR REPLACE TEMP TABLE job_change_row AS
SELECT
    h.contact_id,
    h.kind,
    CASE WHEN h.contradicted_by IS NULL THEN h.confidence
        ELSE round(h.confidence * getvariable('doubt_factor'), 4) END AS confidence,
    CASE WHEN h.contradicted_by IS NOT NULL AND h.band = 'auto' THEN 'review' ELSE h.band END AS band,
    CASE WHEN h.kind <> 'unknown' THEN h.since END AS since,
    h.as_of,
    h.from_title,
    h.from_organisation,
    h.to_title,
    h.to_organisation,
    h.source,
    h.profile_id,
    list_concat(
        h.match_evidence,
        list_filter([
            CASE WHEN h.last_there IS NOT NULL AND h.kind IN ('moved', 'left') THEN said('ended',
                'Was ' || spoken_job(h.last_title, h.from_organisation) || coalesce(' until '
                    || spoken_date(h.last_there.end_on, h.last_there.end_precision), ''), h.source, h.as_of) END,
            CASE WHEN h.job IS NOT NULL AND h.kind <> 'left' THEN said(
                CASE h.kind WHEN 'moved' THEN 'new_employer' WHEN 'retitled' THEN 'new_title' ELSE 'still_there' END,
                'Is ' || spoken_job(h.source_title, h.to_organisation) || coalesce(' since '
                    || spoken_date(h.job.start_on, h.job.start_precision), ''), h.source, h.as_of) END,
            CASE WHEN h.kind = 'unchanged' AND h.from_title = '' THEN said('blank_title',
                'The CRM has no title to compare', h.source, h.as_of) END,
            CASE WHEN h.kind = 'left' THEN said('no_job', 'No present job is known', h.source, h.as_of) END,
            CASE WHEN h.kind = 'unknown' THEN said(h.finding,
                getvariable('finding_words')[h.finding], h.source, h.as_of) END,
            CASE WHEN h.contradicted_by IS NOT NULL THEN said('held',
                'The source ' || h.contradicted_by || ' says otherwise', h.contradicted_by, NULL) END
        ], lambda e: e IS NOT NULL),
        list_transform(
            CASE WHEN h.kind IN ('unknown', 'unchanged') THEN list_filter(h.doubts, lambda d: d = 'undated')
                ELSE h.doubts END,
            lambda d: said('held', getvariable('doubt_words')[d], h.source, h.as_of))
    ) AS evidence
FROM chosen h
UNION ALL
SELECT
    u.contact_id, 'unknown', 0.0, 'ignored', NULL, NULL, c.title, c.organisation, '', '', '', '',
    [said(u.finding,
        replace(replace(replace(replace(getvariable('finding_words')[u.finding],
            '{equals}', u.equals::VARCHAR), '{claimed_by}', u.claimed_by::VARCHAR),
            '{namesakes}', u.namesakes::VARCHAR),
            '{organisation}', coalesce(nullif(c.organisation, ''), c.domain, 'that employer')),
        u.source, NULL)]
FROM unmatched u
JOIN contact c USING (contact_id);
