-- One verdict per contact, with its evidence in words.

-- Texts as they are shown: shown_text(source, text, shown) restores capitals where a source lost
-- them; where the CRM spells a title or a company itself, its most frequent spelling is used. A
-- title of several words all in capitals, or all without, was typed in haste: it is no model.
CREATE OR REPLACE TEMP TABLE crm_title AS
SELECT fold(title) AS key, title AS spelling FROM contact_person
WHERE title <> '' AND NOT (contains(title, ' ') AND title IN (upper(title), lower(title)))
GROUP BY fold(title), title
QUALIFY row_number() OVER (PARTITION BY fold(title) ORDER BY count(*) DESC, title) = 1;

CREATE OR REPLACE TEMP TABLE crm_organisation AS
SELECT company_key AS key, organisation AS spelling FROM contact_person WHERE company_key IS NOT NULL
GROUP BY company_key, organisation
QUALIFY row_number() OVER (PARTITION BY company_key ORDER BY count(*) DESC, organisation) = 1;

CREATE OR REPLACE TEMP TABLE claim AS
SELECT
    d.contact_id, d.source, d.profile_id, d.kind, d.finding, d.as_of, d.since, d.start_precision,
    d.doubts, d.from_title, d.from_organisation, d.job_title_key, d.last_end_on, d.last_end_precision,
    d.band AS match_band,
    d.strength,
    CASE
        WHEN d.kind = 'unknown' THEN 'ignored'
        WHEN d.band = 'auto' AND len(d.doubts) = 0 THEN 'auto'
        ELSE 'review'
    END AS band,
    d.confidence AS match_confidence,
    CASE WHEN d.kind = 'unknown' THEN 0.0
        ELSE getvariable('kind_confidence')[d.kind]
            * pow(getvariable('doubt_factor'), len(d.doubts)) END AS change_confidence,
    CASE
        WHEN d.kind IN ('unknown', 'left') THEN ''
        WHEN d.kind = 'unchanged' AND d.from_title <> '' THEN d.from_title
        ELSE coalesce(ct.spelling, st.shown, d.job_title, '')
    END AS to_title,
    CASE
        WHEN d.kind IN ('unknown', 'left') THEN ''
        WHEN d.kind IN ('unchanged', 'retitled') AND d.from_organisation <> '' THEN d.from_organisation
        ELSE coalesce(co.spelling, so.shown, d.job_organisation, '')
    END AS to_organisation,
    coalesce(ct.spelling, st.shown, d.job_title) AS source_title,
    coalesce(sl.shown, d.last_title) AS last_title
FROM doubted d
LEFT JOIN crm_title ct ON ct.key = fold(d.job_title)
LEFT JOIN crm_organisation co ON co.key = d.job_company_key
LEFT JOIN shown_text st ON st.source = d.source AND st.text = d.job_title
LEFT JOIN shown_text sl ON sl.source = d.source AND sl.text = d.last_title
LEFT JOIN shown_text so ON so.source = d.source AND so.text = d.job_organisation;

DROP TABLE doubted;

-- The claim that speaks for a contact: the surest match, then the newest, then the better founded.
CREATE OR REPLACE TEMP TABLE chosen AS
SELECT * FROM claim
QUALIFY row_number() OVER (
    PARTITION BY contact_id
    ORDER BY kind = 'unknown', match_band, as_of DESC NULLS LAST, strength DESC,
        match_confidence * change_confidence DESC, source, profile_id) = 1;

-- Another source that says otherwise, and knew it after the change is said to have happened.
CREATE OR REPLACE TEMP TABLE contradiction AS
SELECT h.contact_id, min(o.source) AS by_source
FROM chosen h
JOIN claim o ON o.contact_id = h.contact_id AND o.source <> h.source AND o.kind <> 'unknown'
WHERE h.kind IN ('moved', 'left', 'retitled')
    AND (h.since IS NULL OR o.as_of IS NULL OR o.as_of > h.since)
    AND (o.kind <> h.kind OR fold(o.to_organisation) IS DISTINCT FROM fold(h.to_organisation)
        OR o.job_title_key IS DISTINCT FROM h.job_title_key)
GROUP BY h.contact_id;

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
WITH agreed AS (
    SELECT h.* REPLACE (h.change_confidence
        * CASE WHEN x.by_source IS NULL THEN 1 ELSE getvariable('doubt_factor') END AS change_confidence),
        x.by_source
    FROM chosen h LEFT JOIN contradiction x USING (contact_id)
)
SELECT
    h.contact_id,
    h.kind,
    round(h.match_confidence * h.change_confidence, 4) AS confidence,
    CASE WHEN h.by_source IS NOT NULL AND h.band = 'auto' THEN 'review' ELSE h.band END AS band,
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
        list_filter([
            CASE WHEN h.kind IN ('moved', 'left') THEN said('ended',
                'Was ' || spoken_job(h.last_title, h.from_organisation) || coalesce(' until '
                    || spoken_date(h.last_end_on, h.last_end_precision), ''), h.source, h.as_of) END,
            CASE WHEN h.kind IN ('moved', 'retitled', 'unchanged') THEN said(
                CASE h.kind WHEN 'moved' THEN 'new_employer' WHEN 'retitled' THEN 'new_title' ELSE 'still_there' END,
                'Is ' || spoken_job(h.source_title, h.to_organisation) || coalesce(' since '
                    || spoken_date(h.since, h.start_precision), ''), h.source, h.as_of) END,
            CASE WHEN h.kind = 'unchanged' AND h.from_title = '' THEN said('blank_title',
                'The CRM has no title to compare', h.source, h.as_of) END,
            CASE WHEN h.kind = 'left' THEN said('no_job', 'No present job is known', h.source, h.as_of) END,
            CASE WHEN h.kind = 'unknown' THEN said(h.finding,
                getvariable('finding_words')[h.finding], h.source, h.as_of) END,
            CASE WHEN h.by_source IS NOT NULL THEN said('held',
                'The source ' || h.by_source || ' says otherwise', h.by_source, NULL) END
        ], lambda e: e IS NOT NULL),
        list_transform(
            CASE WHEN h.kind IN ('unknown', 'unchanged') THEN list_filter(h.doubts, lambda d: d = 'undated')
                ELSE h.doubts END,
            lambda d: said('held', getvariable('doubt_words')[d], h.source, h.as_of))
    ) AS evidence,
    m.rule,
    '' AS direction,
    round(h.match_confidence, 4) AS match_confidence,
    round(h.change_confidence, 4) AS change_confidence
FROM agreed h
JOIN match_row m USING (contact_id, source, profile_id)
UNION ALL
SELECT
    u.contact_id, 'unknown', 0.0, 'ignored', NULL, NULL, c.title, c.organisation, '', '', '', '',
    [said(u.finding,
        replace(replace(replace(replace(getvariable('finding_words')[u.finding],
            '{equals}', u.equals::VARCHAR), '{claimed_by}', u.claimed_by::VARCHAR),
            '{namesakes}', u.namesakes::VARCHAR),
            '{organisation}', coalesce(nullif(c.organisation, ''), c.domain, 'that employer')),
        u.source, NULL)],
    '', '', 0.0, 0.0
FROM unmatched u
JOIN contact_person c USING (contact_id);
