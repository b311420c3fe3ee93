-- The statements of scale_world.py.

CREATE MACRO rate(what) AS getvariable('rates')[what];
CREATE MACRO dice(i, what) AS (hash(i, what, getvariable('seed')) % 1000003) / 1000003.0;
CREATE MACRO chance(i, what, percent) AS dice(i, what) * 100 < percent;
-- Zipf-Mandelbrot: the k-th commonest has a share of about 1 / (k + a)
CREATE MACRO rank_of(i, what, kinds, a) AS
    least(kinds - 1, floor(a * (pow((kinds + a) / a, dice(i, what)) - 1)))::BIGINT;
CREATE MACRO syllable(list, n) AS list[1 + (n % len(list))::BIGINT];
CREATE MACRO capital(t) AS upper(left(t, 1)) || t[2:];
CREATE MACRO first_of(k) AS capital(
    syllable(getvariable('first_syllable'), k * 7 + 3)
    || syllable(getvariable('first_syllable'), k // 25 * 11 + k)
    || CASE WHEN k > 300 THEN syllable(getvariable('first_syllable'), k // 7) ELSE '' END
    || CASE k % 3 WHEN 0 THEN 'ne' WHEN 1 THEN 's' ELSE 'l' END);
CREATE MACRO last_of(k) AS CASE WHEN k % 23 = 0 THEN 'de ' ELSE '' END || capital(
    syllable(getvariable('last_syllable'), k)
    || syllable(getvariable('last_syllable'), k // 29 + 5)
    || CASE WHEN k >= 841 THEN syllable(getvariable('last_syllable'), k // 841 + 11) ELSE '' END
    || CASE WHEN k >= 24389 THEN syllable(getvariable('last_syllable'), k // 24389 + 2) ELSE '' END
    || CASE k % 4 WHEN 0 THEN 'in' WHEN 1 THEN 'ot' WHEN 2 THEN 'er' ELSE '' END);
CREATE MACRO company_of(k) AS
    syllable(getvariable('company_word'), k)
    || lower(syllable(getvariable('company_word'), k // 20 + 7))
    || lower(syllable(getvariable('company_word'), k // 400 + 3))
    || CASE WHEN k >= 8000 THEN ' ' || syllable(getvariable('company_word'), k // 8000) ELSE '' END
    || CASE k % 5 WHEN 0 THEN ' Conseil' WHEN 1 THEN ' Industries' ELSE '' END;
CREATE MACRO domain_of(k) AS lower(replace(company_of(k), ' ', '-')) || k % 9 || '.example';
CREATE MACRO company_rank(i, what) AS rank_of(i, what, getvariable('companies'), 50.0);
CREATE MACRO typo(t) AS left(t, 2) || substr(t, 4, 1) || substr(t, 3, 1) || substr(t, 5);
CREATE MACRO ascii(t) AS replace(replace(strip_accents(lower(t)), ' ', ''), '''', '');
CREATE MACRO work_address(first, last, company) AS
    ascii(first) || '.' || ascii(last) || '@' || domain_of(company);
CREATE MACRO private_address(i, first, last) AS
    ascii(first) || '.' || ascii(last) || i || '@gmail.com';
CREATE MACRO page_of(i, first, last) AS
    'https://www.linkedin.com/in/' || ascii(first) || '-' || ascii(last) || '-' || i;
CREATE MACRO a_title(i, what) AS getvariable('title')[1 + (hash(i, what, getvariable('seed')) % len(getvariable('title')))::BIGINT];
CREATE MACRO day(i, what, since, days) AS (since::DATE + (hash(i, what, getvariable('seed')) % days)::INTEGER);

CREATE TABLE person AS
SELECT
    i,
    first_of(rank_of(i, 'first', 3000, 15.0)) AS first,
    last_of(rank_of(i, 'last', 60000, 20.0)) AS last,
    company_rank(i, 'before') AS before,
    company_rank(i, 'now') AS now,
    company_rank(i, 'after') AS after,
    a_title(i, 't0') AS title_before, a_title(i, 't1') AS title_now, a_title(i, 't2') AS title_after,
    chance(i, 'moved', rate('moved')) AS moved,
    chance(i, 'retitled', rate('retitled')) AS retitled,
    day(i, 'd0', '2012-01-01', 2000) AS since_before,
    day(i, 'd1', '2018-01-01', 2600) AS since_now,
    day(i, 'd2', '2025-06-15', 330) AS changed_on,
    syllable(getvariable('company_word'), (hash(i, 'city') % 400 // 20)::BIGINT)
        || lower(syllable(getvariable('last_syllable'), (hash(i, 'city') % 400)::BIGINT)) || 'ville' AS city
FROM range(getvariable('people')) AS r(i);

CREATE VIEW contact AS
SELECT '003' || lpad(i::VARCHAR, 15, '0') AS id, to_json(struct_pack(
    "FirstName" := first,
    "LastName" := CASE WHEN chance(i, 'typo', rate('last_name_typo')) THEN typo(last) ELSE last END,
    "Title" := title_now,
    "Email" := CASE WHEN chance(i, 'email', rate('email')) THEN
        CASE WHEN chance(i, 'private', rate('private_email')) THEN private_address(i, first, last)
            ELSE work_address(first, last, now) END END,
    "MobilePhone" := CASE WHEN chance(i, 'mobile', rate('mobile'))
        THEN '+336' || lpad((i % 100000000)::VARCHAR, 8, '0') END,
    "LinkedIn_URL__c" := CASE WHEN chance(i, 'linkedin', rate('linkedin')) THEN page_of(i, first, last) END,
    "MailingCity" := city, "MailingCountry" := 'France',
    "AccountId" := '001' || lpad(now::VARCHAR, 15, '0'),
    "OwnerId" := '005' || lpad((i % 200)::VARCHAR, 15, '0'),
    "CreatedDate" := getvariable('start') || 'T08:00:00.000+0000', "LastModifiedDate" := getvariable('start') || 'T08:00:00.000+0000'
))::VARCHAR AS fields, getvariable('start') || 'T08:00:00.000000+00:00' AS modified
FROM person WHERE i < getvariable('contacts');

CREATE VIEW account AS
SELECT '001' || lpad(k::VARCHAR, 15, '0') AS id, to_json(struct_pack(
    "Name" := CASE WHEN chance(k, 'typo', rate('employer_typo')) THEN typo(company_of(k)) ELSE company_of(k) END
        || CASE WHEN chance(k, 'form', rate('legal_form')) THEN ' SAS' ELSE '' END,
    "Website" := CASE WHEN NOT chance(k, 'nodomain', rate('no_domain')) THEN 'https://www.' || domain_of(k) END,
    "OwnerId" := '005' || lpad((k % 200)::VARCHAR, 15, '0')
))::VARCHAR AS fields, getvariable('start') || 'T08:00:00.000000+00:00' AS modified
FROM (SELECT DISTINCT now AS k FROM person);

-- changed is 1 for the delivery again, with one profile in a hundred changed.
CREATE VIEW profile AS
WITH seen AS (
    SELECT *,
        getvariable('changed') = 1 AND chance(i, 'changed', 1) AS is_changed,
        chance(i, 'stale', rate('stale_profile')) AS is_stale
    FROM person
    WHERE NOT (i < getvariable('contacts') AND chance(i, 'absent', rate('absent')))
),
known AS (
    SELECT *, moved AND (NOT is_stale OR is_changed) AS shows_move,
        retitled AND NOT moved AND (NOT is_stale OR is_changed) AS shows_title
    FROM seen
)
SELECT
    'p' || i AS id,
    lower(first || ' ' || last) AS full_name, lower(first) AS first_name, lower(last) AS last_name,
    CASE WHEN chance(i, 'pwork', rate('profile_work_email'))
        THEN work_address(first, last, CASE WHEN shows_move THEN after ELSE now END) END AS work_email,
    CASE WHEN chance(i, 'pprivate', rate('profile_private_email'))
        THEN [private_address(i, first, last)] ELSE [] END AS personal_emails,
    CASE WHEN chance(i, 'plinkedin', rate('profile_linkedin')) THEN page_of(i, first, last) END AS linkedin_url,
    CASE WHEN chance(i, 'pmobile', rate('profile_mobile'))
        THEN '+336' || lpad((i % 100000000)::VARCHAR, 8, '0') END AS mobile_phone,
    lower(city) AS location_locality, 'france' AS location_country,
    strftime(CASE WHEN is_changed THEN getvariable('later')::DATE WHEN is_stale THEN DATE '2025-05-01'
        ELSE day(i, 'verified', '2026-05-01', 30) END, '%Y-%m-%d') AS job_last_verified,
    list_filter([
        CASE WHEN chance(i, 'first job', 60) THEN struct_pack(
            company := struct_pack(name := lower(company_of(before)), website := domain_of(before), id := 'c' || before),
            title := struct_pack(name := lower(title_before)),
            start_date := strftime(since_before, '%Y-%m'), end_date := strftime(since_now, '%Y-%m'),
            is_primary := FALSE) END,
        struct_pack(
            company := struct_pack(name := lower(company_of(now)),
                website := CASE WHEN NOT chance(now, 'vendor domain', rate('no_domain')) THEN domain_of(now) END,
                id := 'c' || now),
            title := struct_pack(name := lower(title_now)),
            start_date := strftime(since_now, '%Y-%m'),
            end_date := CASE WHEN shows_move OR shows_title THEN strftime(changed_on, '%Y-%m') END,
            is_primary := NOT (shows_move OR shows_title)),
        CASE WHEN shows_move OR shows_title THEN struct_pack(
            company := struct_pack(
                name := lower(company_of(CASE WHEN shows_move THEN after ELSE now END)),
                website := domain_of(CASE WHEN shows_move THEN after ELSE now END),
                id := 'c' || CASE WHEN shows_move THEN after ELSE now END),
            title := struct_pack(name := lower(title_after)),
            start_date := CASE WHEN NOT chance(i, 'nostart', rate('no_start'))
                THEN strftime(changed_on, '%Y-%m') END,
            end_date := NULL, is_primary := TRUE) END
    ], lambda e: e IS NOT NULL) AS experience
FROM known
WHERE i < getvariable('profiles') + getvariable('contacts') * rate('absent') // 100;
