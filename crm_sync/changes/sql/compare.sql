-- Every job of every matched profile beside what the CRM says.

CREATE OR REPLACE TEMP TABLE organisation_words AS
SELECT organisation, company_key(organisation) AS company_key, company_marks(organisation) AS marks,
    is_pause_employer(organisation) AS is_pause
FROM (SELECT DISTINCT organisation FROM employment WHERE organisation IS NOT NULL);

CREATE OR REPLACE TEMP TABLE job_title AS FROM titled('employment');

-- A job that begins after the date of the claim is ignored. An end date that lies after it is a
-- plan: the job goes on. What is no employment (retirement, studies, a search) is a pause, unless the
-- CRM says just that.
CREATE OR REPLACE TEMP TABLE job AS
SELECT
    m.contact_id,
    m.source,
    m.profile_id,
    e.position,
    coalesce(e.organisation, '') AS organisation,
    coalesce(e.title, '') AS title,
    o.company_key,
    coalesce(o.marks, []) AS marks,
    s.domain,
    e.organisation_id,
    t.title_key,
    coalesce(t.is_seat, FALSE) AS is_seat,
    e.start_on,
    e.start_precision,
    e.end_on,
    e.end_precision,
    e.ending,
    coalesce(t.is_pause, FALSE) AND t.is_leave AS is_leave,
    o.organisation IS NULL AND s.domain IS NULL AS is_nameless,
    coalesce(o.company_key = c.company_key, FALSE) OR coalesce(s.domain = c.domain, FALSE) AS there,
    s.domain IS NOT NULL AND c.domain IS NOT NULL AND s.domain <> c.domain AS other_domain,
    coalesce(t.title_key = c.title_key OR t.title_letters = c.title_letters, FALSE) AS same_title,
    CASE
        WHEN e.ending = 'unclear' THEN 'unclear'
        WHEN e.ending <> 'open' AND (e.ending = 'undated' OR coalesce(e.end_on <= m.as_of, TRUE)) THEN 'ended'
        WHEN (t.is_pause OR o.is_pause) AND NOT (there AND same_title) THEN 'pause'
        ELSE 'current'
    END AS state
FROM best_match m
JOIN contact_person c USING (contact_id)
JOIN employment e USING (source, profile_id)
LEFT JOIN organisation_words o ON o.organisation = e.organisation
LEFT JOIN job_title t ON t.title = e.title
LEFT JOIN site s ON s.host = e.domain
WHERE e.start_on IS NULL OR m.as_of IS NULL OR e.start_on <= m.as_of;

-- One row per match: what is found at the CRM's employer and elsewhere. The newest job is the one
-- that started last; between equals names decide, so that no order of rows matters.
CREATE OR REPLACE TEMP TABLE found AS
WITH ordered AS (
    SELECT
        *,
        (coalesce(start_on, DATE '0001-01-01'), title, organisation, position) AS by_start,
        (coalesce(end_on, DATE '0001-01-01'), coalesce(start_on, DATE '0001-01-01'), title, position)
            AS by_end
    FROM job
)
SELECT
    contact_id, source, profile_id,
    count(*) FILTER (there) AS jobs_there,
    count(*) FILTER (there AND state = 'current') AS current_there,
    count(*) FILTER (state = 'unclear') AS unclear,
    count(*) FILTER (there AND state = 'unclear') AS unclear_there,
    count(*) FILTER (state = 'current') AS current_jobs,
    count(*) FILTER (state = 'pause') AS pauses,
    count(*) FILTER (there AND state = 'pause' AND is_leave) AS leaves_there,
    count(*) FILTER (state = 'current' AND NOT there AND is_seat) AS seats_elsewhere,
    count(DISTINCT title_key) FILTER (there AND state = 'current' AND NOT is_seat) AS titles_there,
    count(DISTINCT coalesce(domain, organisation_id, company_key, lower(organisation)))
        FILTER (state = 'current' AND NOT there AND NOT is_seat AND NOT is_nameless) AS employers_elsewhere,
    arg_max(position, by_start) FILTER (there AND state = 'current' AND same_title) AS same_there,
    arg_max(position, by_start) FILTER (there AND state = 'current' AND NOT is_seat) AS newest_there,
    arg_max(position, by_end) FILTER (there AND state = 'ended' AND NOT is_seat) AS last_there,
    arg_max(position, by_end) FILTER (there AND state = 'ended' AND same_title) AS held_before,
    arg_max(position, by_start)
        FILTER (state = 'current' AND NOT there AND NOT is_seat AND NOT is_nameless) AS newest_elsewhere,
    count(*) FILTER (state = 'current' AND NOT is_seat AND is_nameless) AS nameless_jobs
FROM ordered
GROUP BY ALL;
