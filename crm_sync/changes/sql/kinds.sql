-- What happened, per match: the kind, why it is unknown if it is, and the jobs that it is about.
-- Local to one contact and one profile. See detect.py for the reasons.

CREATE OR REPLACE MACRO latest_day(d, of_precision) AS
    CASE of_precision WHEN 'year' THEN make_date(year(d), 12, 31) WHEN 'month' THEN last_day(d) ELSE d END;

-- With the job that the claim is about (`j`: where the person is) and the one before it (`l`: what
-- ended, or the role with the CRM's title). A moved or left person's is the last one at the CRM's
-- employer.
CREATE OR REPLACE TEMP TABLE compared AS
WITH pointed AS (
    SELECT
        m.*, f.* EXCLUDE (match_no, same_there, newest_there, newest_elsewhere, planned_there, last_there, held_before),
        f.same_there IS NOT NULL AS has_same_title,
        f.held_before IS NOT NULL AS has_held_before,
        f.last_there IS NOT NULL AS has_last_there,
        f.planned_there IS NOT NULL AS has_planned_there,
        CASE WHEN f.is_there THEN coalesce(f.same_there, f.newest_there)
            ELSE coalesce(f.planned_there, f.newest_elsewhere) END AS job_no,
        CASE WHEN f.is_there THEN coalesce(f.held_before, f.last_there) ELSE f.last_there END AS last_no
    FROM followed m LEFT JOIN found f USING (match_no)
)
SELECT
    p.* EXCLUDE (job_no, last_no),
    j.match_no IS NOT NULL AS has_job,
    j.title_no AS job_title_no, j.key_no AS job_key_no, j.same_title AS job_same_title,
    j.organisation_no AS job_organisation_no, j.company_no AS job_company_no,
    j.domain_no AS job_domain_no, j.organisation_id AS job_organisation_id,
    j.start_on AS job_start_on, j.start_precision,
    j.surely_there AS job_surely_there, j.there_by_id AS job_there_by_id, j.other_domain AS job_other_domain,
    l.title_no AS last_title_no, l.organisation_no AS last_organisation_no, l.company_no AS last_company_no,
    l.domain_no AS last_domain_no, l.organisation_id AS last_organisation_id,
    l.start_on AS last_start_on, l.end_on AS last_end_on, l.end_precision AS last_end_precision,
    l.ending AS last_ending, l.other_domain AS last_other_domain,
    l.surely_there AS last_surely_there, l.there_by_id AS last_there_by_id
FROM pointed p
LEFT JOIN job j ON j.rowid = p.job_no
LEFT JOIN job l ON l.rowid = p.last_no;

DROP TABLE found;

-- Two names, sites or ids of one group, as far as spelling tells: one inside the other, a shared word
-- that is not every company's, initials, a typing error, the same label of the site.
CREATE OR REPLACE MACRO initials_of(key_words) AS
    array_to_string(list_transform(key_words, lambda w: left(w, 1)), '');

CREATE OR REPLACE MACRO without_small(key_words) AS
    list_filter(key_words, lambda w: NOT list_contains(getvariable('small_company_words'), w));

-- All that names are compared by: marks, initials with and without small words, the short form.
CREATE OR REPLACE MACRO name_forms(organisation) AS list_transform([words(company_words(organisation))], lambda said: {
    'key': array_to_string(said, ''),
    'marks': company_marks(organisation),
    'initials': list_filter([initials_of(said), initials_of(without_small(said))], lambda i: length(i) >= 2),
    'bare': array_to_string(without_small(said), '')
})[1];

-- One name is short for the other, or the label of the one's site is: SG, P&G, pg.example, PwC.
CREATE OR REPLACE MACRO is_short_for(a, a_label, b) AS
    coalesce(list_contains(b.initials, a.key), FALSE)
    OR coalesce(list_contains(b.initials, a.bare), FALSE)
    OR coalesce(list_contains(b.initials, a_label), FALSE)
    OR coalesce(starts_with(b.key, getvariable('company_abbreviations')[a.key]), FALSE)
    OR coalesce(starts_with(b.key, getvariable('company_abbreviations')[a_label]), FALSE);

CREATE OR REPLACE MACRO domain_label(d) AS split_part(d, '.', 1);

CREATE OR REPLACE MACRO one_in_other(a, b) AS
    length(a) >= 4 AND contains(b, a) OR length(b) >= 4 AND contains(a, b)
    OR starts_with(a, b) OR starts_with(b, a);

-- Ids in words, such as LinkedIn's: acme and acme-robotics.
CREATE OR REPLACE MACRO one_family(a, b) AS
    regexp_matches(a, '^[a-z]{4}') AND regexp_matches(b, '^[a-z]{4}')
    AND (starts_with(a, b || '-') OR starts_with(b, a || '-'));

-- What an id ends in: a source may give its own id for one company, and a page's address for another.
-- Ids are compared only with ids of their kind; those that end alike may be one company's.
CREATE OR REPLACE MACRO id_name(id) AS
    lower(split_part(rtrim(split_part(id, '?', 1), '/'), '/', -1));

CREATE OR REPLACE MACRO are_of_one_kind(a, b) AS
    contains(a, '/') = contains(b, '/')
    AND regexp_full_match(id_name(a), '[0-9]+') = regexp_full_match(id_name(b), '[0-9]+');

CREATE OR REPLACE TEMP TABLE two_companies AS
WITH domains AS (SELECT DISTINCT domain_no, domain FROM job_site),
moving AS (
    SELECT p.match_no, c.organisation, c.company_key, c.mail_domain,
        coalesce(c.domain, ls.domain, d.domain) AS from_domain,
        j.organisation AS job_organisation, j.company_key AS job_company_key, js.domain AS job_domain,
        l.organisation AS last_organisation, ls.domain AS last_domain,
        p.job_organisation_id, p.last_organisation_id,
        id_name(p.job_organisation_id) AS job_id_name,
        id_name(p.last_organisation_id) AS last_id_name
    FROM compared p
    JOIN contact_person c ON c.rowid = p.contact_no
    LEFT JOIN organisation_words j ON j.organisation_no = p.job_organisation_no
    LEFT JOIN organisation_words l ON l.organisation_no = p.last_organisation_no
    LEFT JOIN domains js ON js.domain_no = p.job_domain_no
    LEFT JOIN domains ls ON ls.domain_no = p.last_domain_no
    LEFT JOIN learned_domain d ON c.domain IS NULL AND d.company_key = c.company_key
    WHERE p.has_job AND NOT p.is_there AND p.has_last_there
),
worded AS (
    SELECT organisation, name_forms(organisation) AS said
    FROM (
        SELECT organisation FROM moving UNION SELECT job_organisation FROM moving
        UNION SELECT last_organisation FROM moving
    )
    WHERE organisation IS NOT NULL
)
SELECT
    m.match_no,
    coalesce(list_has_any(j.said.marks, c.said.marks), FALSE) AS shares_mark,
    coalesce(m.job_domain <> m.from_domain, FALSE)
        OR coalesce(m.job_id_name <> m.last_id_name
            AND are_of_one_kind(m.job_organisation_id, m.last_organisation_id), FALSE) AS are_told_apart,
    shares_mark
        OR coalesce(list_has_any(j.said.marks, l.said.marks), FALSE)
        OR coalesce(one_in_other(m.job_company_key, m.company_key), FALSE)
        OR is_short_for(j.said, domain_label(m.job_domain), c.said)
        OR is_short_for(c.said, domain_label(m.from_domain), j.said)
        OR coalesce(jaro_winkler_similarity(m.job_company_key, m.company_key) >= 0.93, FALSE)
        OR coalesce(domain_label(m.job_domain) = domain_label(m.from_domain), FALSE)
        OR coalesce(one_family(domain_label(m.job_domain), domain_label(m.from_domain)), FALSE)
        OR coalesce(ends_with(m.job_domain, '.' || m.from_domain), FALSE)
        OR coalesce(ends_with(m.from_domain, '.' || m.job_domain), FALSE)
        OR coalesce(m.job_domain IN (m.mail_domain, m.last_domain), FALSE)
        OR coalesce(m.job_id_name = m.last_id_name, FALSE)
        OR coalesce(one_family(m.job_id_name, m.last_id_name), FALSE) AS same_group
FROM moving m
LEFT JOIN worded c ON c.organisation = m.organisation
LEFT JOIN worded j ON j.organisation = m.job_organisation
LEFT JOIN worded l ON l.organisation = m.last_organisation;

CREATE OR REPLACE TEMP TABLE change_found AS
WITH told AS (
    SELECT
        p.*, g.* EXCLUDE (match_no, shares_mark),
        CASE
            WHEN p.employer_no IS NULL THEN 'employer_missing'
            WHEN p.as_of < p.changed_on AND p.is_known_since THEN 'older_than_crm'
            WHEN p.is_known_there IS NULL THEN 'no_jobs'
            WHEN p.is_there AND (p.has_same_title OR p.key_no IS NULL) THEN 'unchanged'
            WHEN p.is_there AND NOT p.has_job THEN 'seat_there'
            WHEN p.is_there AND p.job_key_no IS NULL THEN 'untitled_there'
            -- a title that the source never knew, typed when the role had long begun: other words
            WHEN p.is_there AND NOT p.has_held_before AND (p.job_start_on IS NULL
                OR p.job_start_on + CASE WHEN p.is_known_since THEN 0 ELSE getvariable('slack_days') END
                    < p.changed_on) THEN 'wording'
            WHEN p.is_there THEN 'retitled'
            WHEN p.is_unclear_there THEN 'unclear'
            WHEN p.is_on_leave THEN 'on_leave'
            -- between two jobs at one employer nobody has moved
            WHEN p.has_planned_there THEN 'planned_there'
            WHEN NOT p.is_known_there THEN 'not_in_history'
            WHEN NOT p.has_last_there OR p.is_seat THEN 'seat_ended'
            -- the CRM's own title, at what may be the CRM's employer under another name
            WHEN p.has_job AND p.job_same_title AND g.shares_mark THEN 'other_company_name'
            WHEN p.has_job THEN 'moved'
            WHEN p.has_seat_elsewhere THEN 'only_seats'
            WHEN p.has_nameless_job THEN 'employer_unnamed'
            WHEN p.is_unclear THEN 'unclear'
            WHEN p.has_planned THEN 'planned_elsewhere'
            WHEN NOT p.has_current THEN 'left'
            ELSE 'unclear'
        END AS told
    FROM compared p LEFT JOIN two_companies g USING (match_no)
),
dated AS (
    SELECT *,
        CASE
            WHEN told = 'retitled' THEN latest_day(job_start_on, start_precision)
            WHEN told IN ('moved', 'left') THEN coalesce(latest_day(last_end_on, last_end_precision),
                CASE WHEN told = 'moved' THEN latest_day(job_start_on, start_precision) END)
        END AS happened_by
    FROM told
)
SELECT
    * EXCLUDE (told, happened_by),
    -- somebody edited title or employer when all this had long happened
    CASE WHEN is_edit AND happened_by < changed_on THEN 'before_baseline' ELSE told END AS finding,
    CASE WHEN finding IN ('unchanged', 'retitled', 'moved', 'left') THEN finding ELSE 'unknown' END AS kind,
    CASE WHEN told = 'left' THEN last_end_on WHEN has_job THEN job_start_on END AS since,
    CASE told WHEN 'retitled' THEN job_start_on WHEN 'moved' THEN coalesce(last_end_on, job_start_on)
        ELSE last_end_on END AS happened_on,
    latest_day(last_end_on, last_end_precision) AS last_end_latest
FROM dated;

-- Where several sources speak of one contact: the employers that each of them has as left. `until` is
-- null where nobody says when.
CREATE OR REPLACE TEMP TABLE left_behind AS
SELECT match_no, company_no, domain_no,
    CASE WHEN bool_and(end_on IS NOT NULL) THEN max(latest_day(end_on, end_precision)) END AS until
FROM job
WHERE state = 'ended' AND NOT is_seat AND match_no IN (
    SELECT match_no FROM change_found WHERE contact_no IN (
        SELECT contact_no FROM change_found GROUP BY contact_no HAVING count(*) > 1 AND bool_or(kind = 'moved')))
GROUP BY match_no, company_no, domain_no;

-- At the CRM's employer by its site alone, where quite another name stands: a parent's, a platform's or
-- an institution's site is that of several employers. Not if that name is the one under which the CRM's
-- own title was held.
CREATE OR REPLACE TEMP TABLE named_otherwise AS
WITH at_site AS (
    SELECT f.match_no, c.organisation, domain_label(c.domain) AS label, o.organisation AS there_organisation
    FROM change_found f
    JOIN contact_person c ON c.rowid = f.contact_no
    JOIN organisation_words o ON o.organisation_no
        = CASE f.kind WHEN 'retitled' THEN f.job_organisation_no ELSE f.last_organisation_no END
    WHERE f.kind IN ('retitled', 'moved', 'left')
        AND CASE f.kind
            WHEN 'retitled' THEN f.job_surely_there
                AND NOT (f.has_held_before AND coalesce(f.last_company_no = f.job_company_no, FALSE))
            ELSE f.last_surely_there END
        AND c.company_key <> o.company_key
),
said AS (
    SELECT organisation, name_forms(organisation) AS said
    FROM (SELECT organisation FROM at_site UNION SELECT there_organisation FROM at_site)
),
otherwise AS (
    SELECT p.organisation, p.there_organisation, p.label
    FROM (SELECT DISTINCT organisation, there_organisation, label FROM at_site) p
    JOIN said a ON a.organisation = p.organisation
    JOIN said b ON b.organisation = p.there_organisation
    WHERE NOT (
        len(a.said.marks) > 0 AND list_has_all(b.said.marks, a.said.marks)
        OR len(b.said.marks) > 0 AND list_has_all(a.said.marks, b.said.marks)
        OR one_in_other(a.said.key, b.said.key)
        OR coalesce(length(p.label) >= 3 AND one_in_other(b.said.key, p.label), FALSE)
        OR length(a.said.key) >= 6 AND levenshtein(a.said.key, b.said.key) <= 2
        OR is_short_for(a.said, NULL, b.said)
        OR is_short_for(b.said, p.label, a.said)
        OR coalesce(list_contains(b.said.initials, p.label), FALSE))
)
SELECT match_no FROM at_site SEMI JOIN otherwise USING (organisation, there_organisation, label);

-- Who moved to a company that they had left before.
CREATE OR REPLACE TEMP TABLE came_back AS
SELECT f.match_no, max_by({'day': j.end_on, 'precision': j.end_precision}, j.end_on) AS was_there_until
FROM change_found f JOIN job j USING (match_no)
WHERE f.kind = 'moved' AND j.state = 'ended' AND NOT j.is_seat AND NOT j.there
    AND j.end_on <= coalesce(f.last_end_on, f.since)
    AND (j.company_no = f.job_company_no OR j.domain_no = f.job_domain_no)
GROUP BY f.match_no;

DROP TABLE job;
DROP TABLE compared;
DROP TABLE two_companies;
