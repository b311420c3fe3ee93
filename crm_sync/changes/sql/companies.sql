-- What the sources say of companies as such, and by what else than name and site the CRM's employers
-- can be known. Nothing here is about one person.

-- Every organisation, title and site by a number: what is compared a million times is compared as
-- numbers. Texts are numbered in their order, so that between equals the order of texts decides.
CREATE OR REPLACE TEMP TABLE organisation_words AS
SELECT *, CASE WHEN company_key IS NOT NULL THEN dense_rank() OVER (ORDER BY company_key) END AS company_no
FROM (
    SELECT organisation, company_key(organisation) AS company_key,
        is_pause_employer(organisation) AS is_pause,
        row_number() OVER (ORDER BY organisation) AS organisation_no
    FROM (SELECT DISTINCT organisation FROM employment WHERE organisation IS NOT NULL)
);

CREATE OR REPLACE TEMP TABLE judged_title AS
SELECT title FROM employment UNION SELECT title FROM contact_person;

CREATE OR REPLACE TEMP TABLE job_title AS
SELECT *, row_number() OVER (ORDER BY title) AS title_no,
    CASE WHEN title_key IS NOT NULL THEN dense_rank() OVER (ORDER BY title_key) END AS key_no,
    CASE WHEN title_letters IS NOT NULL THEN dense_rank() OVER (ORDER BY title_letters) END AS letters_no
FROM titled('judged_title');

CREATE OR REPLACE TEMP TABLE job_site AS
SELECT host, domain, dense_rank() OVER (ORDER BY domain) AS domain_no FROM site WHERE domain IS NOT NULL;

CREATE OR REPLACE TEMP TABLE employer AS
SELECT e.*, row_number() OVER () AS employer_no, o.company_no, s.domain_no
FROM (
    SELECT DISTINCT company_key, domain FROM contact_person
    WHERE company_key IS NOT NULL OR domain IS NOT NULL
) e
LEFT JOIN (SELECT DISTINCT company_key, company_no FROM organisation_words) o USING (company_key)
LEFT JOIN (SELECT DISTINCT domain, domain_no FROM job_site) s USING (domain);

CREATE OR REPLACE TEMP TABLE employed AS
SELECT c.rowid AS contact_no, e.employer_no, c.mail_domain
FROM contact_person c
JOIN employer e ON e.company_key IS NOT DISTINCT FROM c.company_key AND e.domain IS NOT DISTINCT FROM c.domain;

-- The ids that a source gives to the CRM's employers. An id that many names carry names none of them.
-- By its name alone an employer is known only if that name has one id: there are many companies "Delta".
CREATE OR REPLACE TEMP TABLE employer_id AS
WITH told AS (
    SELECT DISTINCT e.source, e.organisation_id, o.company_key, s.domain
    FROM (
        SELECT DISTINCT source, organisation_id, organisation, domain AS host
        FROM employment WHERE organisation_id IS NOT NULL
    ) e
    LEFT JOIN organisation_words o USING (organisation)
    LEFT JOIN job_site s USING (host)
),
-- Only what goes by several names or sites can tell more than name and site do.
linking AS (
    SELECT source, organisation_id FROM told GROUP BY ALL
    HAVING (count(DISTINCT company_key) > 1 OR count(DISTINCT domain) > 1)
        AND count(DISTINCT company_key) <= getvariable('most_names_of_id')
),
named_by_one AS (
    SELECT source, company_key, any_value(organisation_id) AS organisation_id,
        list(domain) FILTER (domain IS NOT NULL) AS domains
    FROM told WHERE company_key IS NOT NULL
    GROUP BY ALL HAVING count(DISTINCT organisation_id) = 1
)
SELECT e.employer_no, t.source, t.organisation_id
FROM employer e JOIN told t ON t.domain = e.domain
SEMI JOIN linking USING (source, organisation_id)
UNION
SELECT e.employer_no, n.source, n.organisation_id
FROM employer e JOIN named_by_one n USING (company_key)
SEMI JOIN linking USING (source, organisation_id)
WHERE e.domain IS NULL OR n.domains IS NULL OR list_contains(n.domains, e.domain);

-- Where an account has no site: the one that all profiles with an employer of that name have.
CREATE OR REPLACE TEMP TABLE learned_domain AS
SELECT c.company_key, any_value(s.domain) AS domain, any_value(s.domain_no) AS domain_no
FROM (SELECT company_key FROM employer WHERE domain IS NULL) c
JOIN organisation_words o USING (company_key)
JOIN employment e USING (organisation)
JOIN job_site s ON s.host = e.domain
GROUP BY c.company_key
HAVING count(DISTINCT s.domain_no) = 1
    AND count(DISTINCT e.profile_id) >= getvariable('witnesses_of_site');

-- Other sites at which the CRM's employer may be known: that one, and those where the mailboxes of
-- its people are: most of them, or one that sounds like the company. Not another account's own site.
CREATE OR REPLACE TEMP TABLE employer_site AS
WITH mailbox AS (
    SELECT e.employer_no, e.company_key, c.mail_domain AS domain, count(*) AS people
    FROM employed c JOIN employer e USING (employer_no)
    WHERE c.mail_domain IS DISTINCT FROM e.domain AND c.mail_domain IS NOT NULL
    GROUP BY ALL
),
labelled AS (
    SELECT *, split_part(domain, '.', 1) AS label, sum(people) OVER (PARTITION BY employer_no) AS of_people
    FROM mailbox
)
SELECT l.employer_no, s.domain_no
FROM labelled l JOIN (SELECT DISTINCT domain, domain_no FROM job_site) s USING (domain)
WHERE (people > 1 AND 2 * people >= of_people
        OR least(length(label), length(company_key)) >= 4
            AND (starts_with(company_key, label) OR starts_with(label, company_key)))
    AND s.domain_no NOT IN (SELECT domain_no FROM employer WHERE domain_no IS NOT NULL)
UNION
SELECT e.employer_no, l.domain_no FROM employer e JOIN learned_domain l USING (company_key)
WHERE e.domain IS NULL;
