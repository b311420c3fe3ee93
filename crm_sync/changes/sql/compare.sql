-- Every job of every matched profile beside what the CRM says. Local to one contact and one profile.

-- match_no and contact_no are the rows of match_row and contact_person.
CREATE OR REPLACE TEMP TABLE followed AS
SELECT
    m.rowid AS match_no, c.rowid AS contact_no,
    m.source, m.profile_id, m.as_of, m.band, m.confidence, m.strength, m.rule, m.by_city_only,
    e.employer_no, e.company_no, e.domain_no, c.domain IS NOT NULL AS has_domain,
    t.title_no, t.key_no, t.letters_no, c.is_seat,
    c.changed_at::DATE AS changed_on,
    coalesce(c.changed_basis, '') IN ('history', 'first_pull') AS is_known_since,
    coalesce(c.changed_basis, '') = 'first_pull' AS is_edit
FROM match_row m
JOIN contact_person c USING (contact_id)
LEFT JOIN employed w ON w.contact_no = c.rowid
LEFT JOIN employer e USING (employer_no)
LEFT JOIN job_title t ON t.title = c.title
WHERE m.band <> 'ignored';

CREATE OR REPLACE MACRO day_number(d) AS coalesce(d - DATE '0001-01-01', 0)::HUGEINT;

-- A job that begins after the date of the claim is planned. An end date that lies after it is a
-- plan too: the job goes on. What is no employment (retirement, studies, a search) is a pause, unless the
-- CRM says just that. `there`: at the CRM's employer, by name or site, or else by what companies.sql
-- found. by_start and by_end order jobs: by days, then by the order of their texts, so that no order
-- of rows matters (the factors are 2 to the powers of 28, 22 and 16).
CREATE OR REPLACE TEMP TABLE job AS
SELECT
    m.match_no,
    o.organisation_no, o.company_no, s.domain_no, e.organisation_id, t.title_no, t.key_no,
    e.start_on, e.start_precision, e.end_on, e.end_precision, e.ending,
    coalesce(t.is_seat, FALSE) AS is_seat,
    coalesce(t.is_pause, FALSE) AND t.is_leave AS is_leave,
    o.organisation_no IS NULL AND s.domain_no IS NULL AS is_nameless,
    coalesce(o.company_no = m.company_no, FALSE) OR coalesce(s.domain_no = m.domain_no, FALSE) AS surely_there,
    i.employer_no IS NOT NULL AS there_by_id,
    surely_there OR there_by_id OR x.employer_no IS NOT NULL AS there,
    s.domain_no IS NOT NULL AND m.has_domain AND s.domain_no IS DISTINCT FROM m.domain_no AS other_domain,
    coalesce(t.key_no = m.key_no, FALSE) OR coalesce(t.letters_no = m.letters_no, FALSE) AS same_title,
    CASE
        WHEN e.start_on > m.as_of THEN 'planned'
        WHEN e.ending = 'unclear' THEN 'unclear'
        WHEN e.ending <> 'open' AND (e.ending = 'undated' OR coalesce(e.end_on <= m.as_of, TRUE)) THEN 'ended'
        WHEN (t.is_pause OR o.is_pause) AND NOT (there AND same_title) THEN 'pause'
        ELSE 'current'
    END AS state,
    ((day_number(e.start_on) * 268435456 + coalesce(t.title_no, 0)) * 268435456
        + coalesce(o.organisation_no, 0)) * 65536 + e.position AS by_start,
    ((day_number(e.end_on) * 4194304 + day_number(e.start_on)) * 268435456
        + coalesce(t.title_no, 0)) * 65536 + e.position AS by_end
FROM followed m
JOIN employment e ON e.profile_id = m.profile_id AND e.source = m.source
LEFT JOIN organisation_words o ON o.organisation = e.organisation
LEFT JOIN job_title t ON t.title = e.title
LEFT JOIN job_site s ON s.host = e.domain
LEFT JOIN employer_id i ON i.employer_no = m.employer_no AND i.source = m.source
    AND i.organisation_id = e.organisation_id
LEFT JOIN employer_site x ON x.employer_no = m.employer_no AND x.domain_no = s.domain_no;

-- One row per match: what is found at the CRM's employer and elsewhere. The newest job is the one
-- that started last. Jobs are pointed at by their row. (Conditions within the aggregates: as filters
-- they cost three times as much.)
CREATE OR REPLACE TEMP TABLE found AS
WITH seen AS (
    SELECT
        *, rowid AS job_no,
        state = 'current' AS is_current,
        state = 'ended' AND NOT is_seat AS is_over,
        state = 'current' AND there AND NOT is_seat AS is_here,
        state = 'current' AND NOT is_seat AND NOT there AND NOT is_nameless AS is_elsewhere,
        CASE WHEN is_elsewhere
            THEN coalesce('d' || domain_no, organisation_id, 'c' || company_no, 'o' || organisation_no) END AS employer
    FROM job
)
SELECT
    match_no,
    bool_or(there) AS is_known_there,
    bool_or(there AND is_current) AS is_there,
    bool_or(state = 'unclear') AS is_unclear,
    bool_or(there AND state = 'unclear') AS is_unclear_there,
    bool_or(is_current) AS has_current,
    bool_or(state = 'pause') AS has_pause,
    bool_or(there AND state = 'pause' AND is_leave) AS is_on_leave,
    bool_or(state = 'planned' AND NOT is_seat) AS has_planned,
    bool_or(is_current AND NOT there AND is_seat) AS has_seat_elsewhere,
    bool_or(is_current AND NOT is_seat AND is_nameless) AS has_nameless_job,
    coalesce(min(CASE WHEN is_here THEN key_no END) <> max(CASE WHEN is_here THEN key_no END), FALSE)
        AS has_several_titles,
    coalesce(min(employer) <> max(employer), FALSE) AS has_several_employers,
    arg_max(job_no, CASE WHEN there AND is_current AND same_title THEN by_start END) AS same_there,
    arg_max(job_no, CASE WHEN is_here THEN by_start END) AS newest_there,
    arg_max(job_no, CASE WHEN is_elsewhere THEN by_start END) AS newest_elsewhere,
    arg_max(job_no, CASE WHEN there AND state = 'planned' THEN by_start END) AS planned_there,
    arg_max(job_no, CASE WHEN there AND is_over THEN by_end END) AS last_there,
    arg_max(job_no, CASE WHEN there AND state = 'ended' AND same_title THEN by_end END) AS held_before,
    max(CASE WHEN is_over AND NOT there THEN start_on END) AS stint_from,
    max(CASE WHEN is_over AND NOT there THEN end_on END) AS stint_until
FROM seen
GROUP BY match_no;
