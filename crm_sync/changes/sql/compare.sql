-- Every job of every matched profile beside what the CRM says. Local to one contact and one profile.

CREATE OR REPLACE TEMP TABLE followed AS
SELECT
    row_number() OVER () AS match_no,
    c.rowid AS contact_no,
    m.contact_id, m.source, m.profile_id, m.as_of, m.band, m.confidence, m.strength, m.rule,
    m.by_city_only,
    e.employer_no,
    c.title_key, c.title_letters, c.company_key, c.domain, c.is_seat,
    c.changed_at::DATE AS changed_on,
    coalesce(c.changed_basis, '') IN ('history', 'first_pull') AS is_known_since,
    coalesce(c.changed_basis, '') = 'first_pull' AS is_edit
FROM match_row m
JOIN contact_person c USING (contact_id)
LEFT JOIN employer e ON e.company_key IS NOT DISTINCT FROM c.company_key
    AND e.domain IS NOT DISTINCT FROM c.domain
WHERE m.band <> 'ignored';

-- A job that begins after the date of the claim is ignored. An end date that lies after it is a
-- plan: the job goes on. What is no employment (retirement, studies, a search) is a pause, unless the
-- CRM says just that. `there`: at the CRM's employer, by name or site, or else by what companies.sql
-- found. by_start and by_end order jobs: between equal days the texts decide, so that no order of
-- rows matters.
CREATE OR REPLACE TEMP TABLE job AS
SELECT
    m.match_no,
    e.position,
    e.organisation,
    e.title,
    o.company_key,
    s.domain,
    e.organisation_id,
    t.title_key,
    coalesce(t.is_seat, FALSE) AS is_seat,
    coalesce(t.is_pause, FALSE) AND t.is_leave AS is_leave,
    o.organisation IS NULL AND s.domain IS NULL AS is_nameless,
    e.start_on,
    e.start_precision,
    e.end_on,
    e.end_precision,
    e.ending,
    coalesce(o.company_key = m.company_key, FALSE) OR coalesce(s.domain = m.domain, FALSE) AS surely_there,
    i.employer_no IS NOT NULL AS there_by_id,
    surely_there OR there_by_id OR x.employer_no IS NOT NULL AS there,
    s.domain IS NOT NULL AND m.domain IS NOT NULL AND s.domain <> m.domain AS other_domain,
    coalesce(t.title_key = m.title_key OR t.title_letters = m.title_letters, FALSE) AS same_title,
    CASE
        WHEN e.ending = 'unclear' THEN 'unclear'
        WHEN e.ending <> 'open' AND (e.ending = 'undated' OR coalesce(e.end_on <= m.as_of, TRUE)) THEN 'ended'
        WHEN (t.is_pause OR o.is_pause) AND NOT (there AND same_title) THEN 'pause'
        ELSE 'current'
    END AS state,
    (((coalesce(e.start_on, DATE '0001-01-01') - DATE '0001-01-01')::HUGEINT * 268435456
        + coalesce(t.place, 0)) * 268435456 + coalesce(o.place, 0)) * 65536 + e.position AS by_start,
    (((coalesce(e.end_on, DATE '0001-01-01') - DATE '0001-01-01')::HUGEINT * 4194304
        + (coalesce(e.start_on, DATE '0001-01-01') - DATE '0001-01-01')) * 268435456
        + coalesce(t.place, 0)) * 65536 + e.position AS by_end
FROM followed m
JOIN employment e ON e.profile_id = m.profile_id AND e.source = m.source
LEFT JOIN organisation_words o ON o.organisation = e.organisation
LEFT JOIN job_title t ON t.title = e.title
LEFT JOIN site s ON s.host = e.domain
LEFT JOIN employer_id i ON i.employer_no = m.employer_no AND i.source = m.source
    AND i.organisation_id = e.organisation_id
LEFT JOIN employer_site x ON x.employer_no = m.employer_no AND x.domain = s.domain
WHERE e.start_on IS NULL OR m.as_of IS NULL OR e.start_on <= m.as_of;

-- One row per match: what is found at the CRM's employer and elsewhere. The newest job is the one
-- that started last. Jobs are pointed at by their row.
CREATE OR REPLACE TEMP TABLE found AS
WITH seen AS (
    SELECT
        rowid AS job_no, *,
        state = 'current' AS is_current,
        state = 'ended' AND NOT is_seat AS is_over,
        state = 'current' AND NOT is_seat AND NOT there AND NOT is_nameless AS is_elsewhere
    FROM job
)
SELECT
    match_no,
    count(*) FILTER (there) AS jobs_there,
    count(*) FILTER (there AND is_current) AS current_there,
    count(*) FILTER (state = 'unclear') AS unclear,
    count(*) FILTER (there AND state = 'unclear') AS unclear_there,
    count(*) FILTER (is_current) AS current_jobs,
    count(*) FILTER (state = 'pause') AS pauses,
    count(*) FILTER (there AND state = 'pause' AND is_leave) AS leaves_there,
    count(*) FILTER (is_current AND NOT there AND is_seat) AS seats_elsewhere,
    count(DISTINCT title_key) FILTER (there AND is_current AND NOT is_seat) AS titles_there,
    count(DISTINCT coalesce(domain, organisation_id, company_key, lower(organisation)))
        FILTER (is_elsewhere) AS employers_elsewhere,
    count(*) FILTER (is_current AND NOT is_seat AND is_nameless) AS nameless_jobs,
    arg_max(job_no, by_start) FILTER (there AND is_current AND same_title) AS same_there,
    arg_max(job_no, by_start) FILTER (there AND is_current AND NOT is_seat) AS newest_there,
    arg_max(job_no, by_start) FILTER (is_elsewhere) AS newest_elsewhere,
    arg_max(job_no, by_end) FILTER (there AND is_over) AS last_there,
    arg_max(job_no, by_end) FILTER (there AND state = 'ended' AND same_title) AS held_before,
    max(start_on) FILTER (is_over AND NOT there) AS stint_from,
    max(end_on) FILTER (is_over AND NOT there) AS stint_until
FROM seen
GROUP BY match_no;
